use resilient_runtime::hedge;

#[hedge(when = |error| *error == words)]
async fn find(words: &'static str) -> Result<u32, &'static str> {
    Err(words)
}

fn main() {}

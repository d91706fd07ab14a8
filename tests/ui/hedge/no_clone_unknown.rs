use resilient_runtime::hedge;

#[hedge(no_clone(wrods))]
async fn find(words: String) -> std::io::Result<u32> {
    Ok(1)
}

fn main() {}

use resilient_runtime::retry;

struct Page(String);

#[retry]
async fn load(path: &str) -> Page {
    Page(path.to_owned())
}

fn main() {}

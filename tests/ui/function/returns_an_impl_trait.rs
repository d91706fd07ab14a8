use resilient_runtime::retry;

#[retry]
async fn lines(page: &str) -> impl Iterator<Item = &str> {
    page.lines()
}

fn main() {}

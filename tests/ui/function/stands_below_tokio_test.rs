use resilient_runtime::retry;

#[tokio::test]
#[retry]
async fn the_lock_is_gone() -> std::io::Result<()> {
    tokio::fs::remove_file("lock").await
}

fn main() {}

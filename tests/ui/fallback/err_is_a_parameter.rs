use resilient_runtime::fallback;

fn describe(_err: u16) -> std::io::Result<String> {
    Ok(String::new())
}

#[fallback(fn = describe(err))]
async fn load(err: u16) -> std::io::Result<String> {
    tokio::fs::read_to_string(err.to_string()).await
}

fn main() {}

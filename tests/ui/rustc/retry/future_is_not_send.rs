// The same error as without the attribute: the body keeps an `Rc` across an await.
use resilient_runtime::retry;
use std::rc::Rc;

#[retry]
async fn load(path: &str) -> std::io::Result<String> {
    let name = Rc::new(path.to_owned());
    let page = tokio::fs::read_to_string(path).await?;
    Ok(page + &name)
}

fn main() {
    tokio::spawn(load("page"));
}

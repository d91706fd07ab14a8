//! Another answer when the first fails: `cargo run --example fallback`.

use std::fmt::Debug;
use std::time::Duration;

use resilient_runtime::{Classify, fallback};
use tokio::time::sleep;

/// How long an answer from elsewhere takes.
const TRIP: Duration = Duration::from_millis(20);

#[derive(Debug, Classify)]
enum CatalogError {
    #[transient]
    Unreachable,
    #[permanent]
    NoSuchArticle,
}

/// Asks the catalogue, which is down; then a replica, then what was seen last.
#[fallback(fn = [replica, last_seen])]
async fn article(sku: u32) -> Result<String, CatalogError> {
    println!("  asks the catalogue for {sku}");
    if sku == 0 { Err(CatalogError::NoSuchArticle) } else { Err(CatalogError::Unreachable) }
}

/// Has the articles with even numbers.
async fn replica(sku: u32) -> Result<String, CatalogError> {
    println!("  asks the replica for {sku}");
    sleep(TRIP).await;
    if sku.is_multiple_of(2) { Ok(format!("article {sku}")) } else { Err(CatalogError::Unreachable) }
}

/// A fallback need not be async.
fn last_seen(sku: u32) -> Result<String, CatalogError> {
    println!("  looks up what was last seen of {sku}");
    if sku < 5 { Ok(format!("article {sku}, as seen yesterday")) } else { Err(CatalogError::Unreachable) }
}

/// Better no recommendations than no page.
#[fallback(value = Vec::new())]
async fn recommendations(sku: u32) -> Result<Vec<u32>, CatalogError> {
    println!("  asks what goes with {sku}");
    Err(CatalogError::Unreachable)
}

struct Shop {
    currency: &'static str,
}

impl Shop {
    /// The call may name what it wants: the receiver, some arguments, the error.
    #[fallback(fn = self.list_price(sku, err))]
    async fn price(&self, sku: u32) -> Result<String, CatalogError> {
        println!("  asks for the price of {sku}");
        Err(CatalogError::Unreachable)
    }

    fn list_price(&self, sku: u32, why: CatalogError) -> Result<String, CatalogError> {
        println!("  looks for {sku} in the price list, because of {why:?}");
        if sku < 100 { Ok(format!("{} {sku}.00", self.currency)) } else { Err(why) }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    show("article 4", article(4)).await;
    show("article 3, which the replica does not have", article(3)).await;
    show("article 7, which nobody has: the last error is the answer", article(7)).await;
    show("article 0, an answer and no outage: nobody else is asked", article(0)).await;
    show("recommendations for 4", recommendations(4)).await;
    show("price of 4", Shop { currency: "EUR" }.price(4)).await;
}

async fn show<T: Debug>(title: &str, answer: impl Future<Output = T>) {
    println!("{title}:");
    println!("  -> {:?}\n", answer.await);
}

//! The policies as values, for code that is no function of its own: `cargo run --example by_hand`.

use std::io::{self, ErrorKind};
use std::time::Duration;

use resilient_runtime::{CircuitBreaker, Rejected, Retry, Timeout, attempt};
use tokio::time::{Instant, sleep};

const RETRY: Retry = Retry::new().max(4).base(Duration::from_millis(40)).max_delay(Duration::from_millis(80));
const LIMIT: Timeout = Timeout::new(Duration::from_millis(100)).name("lookup");
const OPEN: Duration = Duration::from_millis(300);
static BREAKER: CircuitBreaker = CircuitBreaker::new("inventory").failure_threshold(4).reset_timeout(OPEN);

#[derive(Clone, Copy)]
enum Inventory {
    /// Hangs, fails, then answers.
    Shaky,
    Down,
    Well,
}

impl Inventory {
    async fn lookup(self) -> io::Result<u32> {
        match (self, attempt()) {
            (Self::Shaky, 1) => sleep(Duration::from_secs(60)).await,
            (Self::Shaky, 2) | (Self::Down, _) => return Err(ErrorKind::ConnectionReset.into()),
            _ => {}
        }
        Ok(42)
    }
}

/// Outermost first, as attributes would stand: retry, breaker, timeout.
async fn items(inventory: Inventory) -> io::Result<u32> {
    RETRY
        .on_retry(|attempt, delay, cause| println!("    attempt {attempt}: {cause}; next in {delay:.0?}"))
        .run(|| BREAKER.call(LIMIT.call(inventory.lookup())))
        .await
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    show(Inventory::Shaky, "a shaky inventory").await;
    show(Inventory::Down, "an inventory that is down").await;
    show(Inventory::Down, "down still").await;
    sleep(OPEN).await;
    show(Inventory::Well, "well again").await;
    show(Inventory::Well, "and well").await;
    println!("the breaker is {}", BREAKER.state());
}

async fn show(inventory: Inventory, title: &str) {
    let start = Instant::now();
    println!("{title}, the breaker is {}:", BREAKER.state());
    match items(inventory).await {
        Ok(items) => println!("  -> {items} items after {:.0?}\n", start.elapsed()),
        // A refusal travels inside the user's own error type, and is found again.
        Err(error) => match Rejected::find(&error) {
            Some(rejected) => println!("  -> refused by {} after {:.0?}\n", rejected.name(), start.elapsed()),
            None => println!("  -> {error} after {:.0?}\n", start.elapsed()),
        },
    }
}

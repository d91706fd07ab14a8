//! Four customers at two tills, with a short queue: `cargo run --example bulkhead`.

use std::fmt::Display;
use std::sync::LazyLock;
use std::time::Duration;

use resilient_runtime::{Rejected, bulkhead, registry};
use tokio::time::{Instant, sleep};

const PAYING: Duration = Duration::from_millis(300);

/// Two pay at once; one more may wait, for a second at most.
#[bulkhead(name = "tills", max_concurrent = 2, max_wait = "1s", max_queue = 1)]
async fn pay(customer: &str) -> Result<(), Rejected> {
    say(format_args!("{customer} pays"));
    sleep(PAYING).await;
    Ok(())
}

async fn visit(customer: &str) {
    match pay(customer).await {
        Ok(()) => say(format_args!("{customer} leaves")),
        Err(rejected) => say(format_args!("{customer} is sent away: {rejected}")),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    tokio::join!(visit("Ada"), visit("Ben"), visit("Cleo"), visit("Dan"));
    if let Some(tills) = registry().bulkhead("tills") {
        let seen = tills.snapshot();
        let (admitted, waited, rejected) = (seen.admitted, seen.waited, seen.rejected);
        println!("{admitted} admitted, {waited} of them after a wait, {rejected} rejected");
    }
}

fn say(what: impl Display) {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    println!("{:>6} ms  {what}", START.elapsed().as_millis());
}

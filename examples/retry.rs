//! What is tried again, when, and what is not: `cargo run --example retry`.

use std::fmt::Display;
use std::sync::LazyLock;
use std::time::Duration;

use resilient_runtime::{Classify, RetryCause, attempt, retry};
use tokio::time::Instant;

/// What the price service asks for when it is busy.
const LEAVE_ALONE: Duration = Duration::from_millis(300);

#[derive(Debug, Classify)]
enum PriceError {
    #[transient]
    ConnectionLost,
    #[throttled(after = retry_after)]
    Busy { retry_after: Duration },
    #[permanent]
    UnknownSku,
}

/// Fails twice before it knows the price of a mug, and never knows that of a unicorn.
#[retry(max = 4, base = "50ms", max_delay = "200ms", within = "1s", on_retry = announce)]
async fn price(sku: &str) -> Result<u32, PriceError> {
    say(format_args!("{sku}: attempt {}", attempt()));
    match (sku, attempt()) {
        ("unicorn", _) => Err(PriceError::UnknownSku),
        ("teapot", _) | ("mug", 1) => Err(PriceError::ConnectionLost),
        ("mug", 2) => Err(PriceError::Busy { retry_after: LEAVE_ALONE }),
        _ => Ok(1_250),
    }
}

fn announce(attempt: u32, delay: Duration, cause: RetryCause<'_, PriceError>) {
    if let RetryCause::Failed(error) = cause {
        say(format_args!("  attempt {attempt} failed ({error:?}), next one in {delay:.0?}"));
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("A lost connection is waited out with jitter; a server's wish is never cut short:");
    say(format_args!("mug: {:?}\n", price("mug").await));

    println!("An answer that will stay the same is not asked for again:");
    say(format_args!("unicorn: {:?}\n", price("unicorn").await));

    println!("After the last attempt its error is the answer:");
    say(format_args!("teapot: {:?}", price("teapot").await));
}

fn say(what: impl Display) {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    println!("{:>6} ms  {what}", START.elapsed().as_millis());
}

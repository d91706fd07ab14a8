//! A long list of letters for a slow press: `cargo run --example backpressure`.

use std::fmt::Display;
use std::sync::LazyLock;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use resilient_runtime::{CallEach as _, Rejected, bulkhead, rate_limit};
use tokio::time::{Instant, sleep};

/// Three sheets at once, and ten in a second: who comes too soon is refused.
#[rate_limit(name = "press", rate = "10/s", burst = 3)]
#[bulkhead(name = "press", max_concurrent = 2)]
async fn print(letter: u32) -> Result<u32, Rejected> {
    sleep(Duration::from_millis(150)).await;
    Ok(letter)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // Nobody keeps a million letters: each is written when the press has room for it.
    let letters =
        stream::iter(1..=1_000_000).inspect(|letter| say(format_args!("letter {letter} is written")));
    let mut printed = letters.call_each(10, print).take(8);
    while let Some(letter) = printed.next().await {
        match letter {
            Ok(letter) => say(format_args!("letter {letter} is printed")),
            Err(rejected) => say(format_args!("a letter is lost: {rejected}")),
        }
    }
}

fn say(what: impl Display) {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    println!("{:>6} ms  {what}", START.elapsed().as_millis());
}

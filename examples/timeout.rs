//! One limit for each attempt and one for everything: `cargo run --example timeout`.

use std::fmt::Display;
use std::sync::LazyLock;
use std::time::Duration;

use resilient_runtime::{Fault, attempt, deadline, retry, timeout};
use tokio::time::{Instant, sleep};

const QUICK: Duration = Duration::from_millis(50);
const STUCK: Duration = Duration::from_secs(60);

type Answer = Result<&'static str, Fault<std::io::Error>>;

/// Each attempt gets 200 ms, all attempts and waits together half a second.
#[timeout("500ms")]
#[retry(max = 3, base = "20ms")]
#[timeout("200ms")]
async fn search(stuck_attempts: u32) -> Answer {
    let left = deadline().map(|at| at - Instant::now()).unwrap_or_default();
    say(format_args!("  attempt {}, {} ms left", attempt(), left.as_millis()));
    let takes = if attempt() <= stuck_attempts { STUCK } else { QUICK };
    sleep(takes).await;
    Ok("found")
}

/// A body that is ready at once never starts a timer, however short the limit is.
#[timeout("1ns")]
async fn remembered() -> Answer {
    Ok("known all along")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("The first attempt hangs and is cut; the second one answers:");
    say(format_args!("{:?}\n", search(1).await));

    println!("Every attempt hangs; the total limit ends the third one early:");
    match search(3).await {
        Err(Fault::Rejected(rejected)) => say(format_args!("{rejected}\n")),
        other => say(format_args!("{other:?}\n")),
    }

    println!("An answer that is there takes no time:");
    say(format_args!("{:?}", remembered().await));
}

fn say(what: impl Display) {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    println!("{:>6} ms  {what}", START.elapsed().as_millis());
}

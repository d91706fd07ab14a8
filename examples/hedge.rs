//! One answer in ten is slow; a second attempt beside it cuts the tail: `cargo run --example hedge`.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use resilient_runtime::{attempt, hedge, registry};
use tokio::time::{Instant, sleep};

const CALLS: usize = 100;

/// Every tenth answer takes fifty milliseconds.
async fn replica() -> io::Result<u32> {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let slow = ASKED.fetch_add(1, Relaxed) % 10 == 9;
    sleep(Duration::from_millis(if slow { 50 } else { 2 })).await;
    Ok(attempt())
}

async fn alone() -> io::Result<u32> {
    replica().await
}

/// Slow is what takes longer than eight of ten first attempts did of late.
#[hedge(name = "search", after = "p80")]
async fn hedged() -> io::Result<u32> {
    replica().await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    println!("alone:  {}", tail(timed(alone).await?));
    println!("hedged: {}", tail(timed(hedged).await?));

    if let Some(search) = registry().hedge("search") {
        let seen = search.snapshot();
        let after = seen.after.unwrap_or_default();
        println!(
            "{} of {CALLS} calls got a second attempt, after {after:.1?}; {} won",
            seen.hedges, seen.hedged
        );
    }
    if let Some(budget) = registry().budget("default") {
        println!("the budget paid for {}, and would pay for {} more", budget.spent, budget.left);
    }
    Ok(())
}

async fn timed<F: Future<Output = io::Result<u32>>>(call: fn() -> F) -> io::Result<Vec<Duration>> {
    let mut times = Vec::new();
    for _ in 0..CALLS {
        let start = Instant::now();
        call().await?;
        times.push(start.elapsed());
    }
    Ok(times)
}

fn tail(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    format!("half within {:.1?}, 95 of 100 within {:.1?}", times[CALLS / 2], times[CALLS * 95 / 100])
}

//! A shop with one till and many visitors: `cargo run --example load_shed`.

use std::time::Duration;

use resilient_runtime::{Priority, Rejected, load_shed, registry, with_priority};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// Does four things at once, each in two milliseconds: two thousand a second.
static MACHINE: Semaphore = Semaphore::const_new(4);

/// What visitors do in turn, and how many of them there are in a second.
const CROWD: [(u32, &str); 3] = [(800, "a quiet morning"), (8_000, "the sale begins"), (800, "it is over")];

/// The request handler says how important a call is; the shedder finds out how many the machine can take.
#[load_shed(name = "shop")]
async fn serve() -> Result<(), Rejected> {
    let _place = MACHINE.acquire().await;
    sleep(Duration::from_millis(2)).await;
    Ok(())
}

/// Of ten visitors one pays, two look at a price, three at a list, and four see recommendations.
const fn purpose(visitor: u32) -> Priority {
    match visitor % 10 {
        0 => Priority::Critical,
        1 | 2 => Priority::Important,
        3..=5 => Priority::Normal,
        _ => Priority::Optional,
    }
}

/// Two seconds of so many visitors a second.
async fn open(visitors: u32) {
    let (start, mut visits) = (Instant::now(), JoinSet::new());
    for visitor in 0..2 * visitors {
        sleep_until(start + Duration::from_secs(1) / visitors * visitor).await;
        visits.spawn(with_priority(purpose(visitor), serve()));
    }
    visits.join_all().await;
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    let Some(shop) = registry().load_shed("shop") else { return };
    println!("served, of a hundred      critical important normal optional   limit  queued");
    for (visitors, when) in CROWD {
        let before = shop.snapshot();
        open(visitors).await;
        let now = shop.snapshot();
        let share = |of: fn(resilient_runtime::ByPriority) -> u64| {
            let (admitted, rejected) =
                (of(now.admitted) - of(before.admitted), of(now.rejected) - of(before.rejected));
            100 * admitted / (admitted + rejected)
        };
        println!(
            "{visitors:>6} a second, {when:<16} {:>3} {:>9} {:>6} {:>8} {:>7} {:>4} ms",
            share(|calls| calls.critical),
            share(|calls| calls.important),
            share(|calls| calls.normal),
            share(|calls| calls.optional),
            now.limit,
            now.queue_time.as_millis(),
        );
    }
}

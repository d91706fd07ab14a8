//! A rate limit with permits left, and the two clocks it is read by.

use std::hint::black_box;
use std::num::NonZeroU32;

use governor::clock::{Clock as _, QuantaClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::Instant;

use crate::bodies::{Answer, Failure, work};
use crate::harness::Case;
use crate::{calls, ours};

pub const PLENTY: &str = "rate limit with permits left";
pub const CLOCKS: &str = "the clock alone";
pub const GOVERNOR: &str = "governor";
pub const QUANTA: &str = "governor's";

async fn checked(limiter: &DefaultDirectRateLimiter, n: u64) -> Answer {
    limiter.check().map_err(|_| Failure::DOWN)?;
    work(n).await
}

pub fn cases() -> Vec<Case> {
    // More than any machine takes.
    let quota = Quota::per_second(NonZeroU32::MAX);
    let (limiter, quanta) = (RateLimiter::direct(quota), QuantaClock::default());
    let plenty = |name, run| Case { path: PLENTY, name, run, two: true };
    let clock = |name, run| Case { path: CLOCKS, name, run, two: false };
    vec![
        plenty("ours", calls!(n => ours::limited(n))),
        plenty(GOVERNOR, calls!(n => checked(&limiter, n))),
        clock("ours", Box::new(|calls| (0..calls).for_each(|_| _ = black_box(Instant::now())))),
        clock(QUANTA, Box::new(move |calls| (0..calls).for_each(|_| _ = black_box(quanta.now())))),
    ]
}

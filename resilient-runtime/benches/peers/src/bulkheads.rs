//! A bulkhead with room, alone and under the usual stack.

use recloser::AsyncRecloser;
use tokio::sync::Semaphore;

use crate::bodies::{Answer, Failure, work};
use crate::harness::Case;
use crate::peers::{self, LIMIT};
use crate::{calls, ours};

pub const ROOMY: &str = "bulkhead with room";
pub const FIVE: &str = "fallback, retry, breaker, timeout, bulkhead, success";
pub const TRIES: &str = "tokio, try_acquire";
pub const BY_HAND: &str = "by hand: tokio, recloser";

/// Room for both threads, and then some.
const PLACES: usize = 4;

async fn tries(semaphore: &Semaphore, n: u64) -> Answer {
    let _permit = semaphore.try_acquire().map_err(|_| Failure::DOWN)?;
    work(n).await
}

async fn waits(semaphore: &Semaphore, n: u64) -> Answer {
    let _permit = semaphore.acquire().await.map_err(|_| Failure::DOWN)?;
    work(n).await
}

async fn by_hand(breaker: &AsyncRecloser, semaphore: &Semaphore, n: u64) -> Answer {
    for _ in 0..3 {
        let confined = tries(semaphore, n);
        let bounded = async { tokio::time::timeout(LIMIT, confined).await.map_err(drop)?.map_err(drop) };
        if let Ok(answer) = breaker.call(bounded).await {
            return Ok(answer);
        }
    }
    Ok(0)
}

pub fn cases() -> Vec<Case> {
    let (tried, waited) = (Semaphore::new(PLACES), Semaphore::new(PLACES));
    let (breaker, semaphore) = (peers::recloser(), Semaphore::new(PLACES));
    let roomy = |name, run| Case { path: ROOMY, name, run, two: true };
    let five = |name, run| Case { path: FIVE, name, run, two: true };
    vec![
        roomy("ours", calls!(n => ours::confined(n))),
        roomy(TRIES, calls!(n => tries(&tried, n))),
        roomy("tokio, acquire", calls!(n => waits(&waited, n))),
        five("ours", calls!(n => ours::five(n))),
        five(BY_HAND, calls!(n => by_hand(&breaker, &semaphore, n))),
    ]
}

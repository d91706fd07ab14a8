//! Rates to the nanosecond, as governor and the atomic rate limiter of resilience4j keep them.

use resilient_runtime::{Rate, RateLimit};

use super::*;

const NANO: Duration = Duration::from_nanos(1);

fn limit(permits: u32, per: Duration) -> RateLimit {
    RateLimit::new("rate").rate(Rate::new(permits, per))
}

/// Permits that are there now.
fn taken(limit: &RateLimit) -> usize {
    std::iter::from_fn(|| limit.try_acquire().ok()).count()
}

fn told(limit: &RateLimit) -> Option<Duration> {
    limit.try_acquire().expect_err("none is left").retry_after()
}

#[tokio::test(start_paused = true)]
async fn a_permit_comes_at_the_nanosecond_that_was_told() {
    let limit = limit(5, secs(1));
    assert_eq!((taken(&limit), told(&limit)), (5, Some(ms(200))));
    advance(ms(200).saturating_sub(NANO)).await;
    assert_eq!((taken(&limit), told(&limit)), (0, Some(NANO)));
    advance(NANO).await;
    assert_eq!((taken(&limit), told(&limit)), (1, Some(ms(200))));
}

#[tokio::test(start_paused = true)]
async fn an_idle_limit_gathers_a_burst_and_no_more() {
    for (burst, gathered) in [(0, 1), (1, 1), (10, 10), (25, 25)] {
        let limit = limit(10, secs(1)).burst(burst);
        for idle in [0, 10, 86_400] {
            advance(secs(idle)).await;
            assert_eq!(taken(&limit), gathered, "{burst} after {idle} s");
        }
        assert_eq!(told(&limit), Some(ms(100)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_period_that_does_not_divide_loses_no_permit() {
    for permits in [3, 7, 9, 11, 13, 18, 21, 99, 333, 1_001] {
        let limits = [limit(permits, secs(1)), limit(permits, secs(1)).burst(2)];
        for _ in 0..3 {
            assert_eq!(limits.each_ref().map(taken), [permits as usize, 2], "{permits}");
            advance(secs(1)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn several_permits_are_there_at_once_or_not_at_all() {
    let limit = limit(10, secs(1));
    let told = |permits| limit.try_acquire_many(permits).err().and_then(|refused| refused.retry_after());
    assert_eq!((told(11), told(6), told(0)), (None, None, None));
    assert_eq!((told(6), told(11)), (Some(ms(200)), None), "a burst never has eleven");
    assert_eq!(taken(&limit), 4, "who is refused takes none");
}

#[tokio::test(start_paused = true)]
async fn whose_turn_comes_by_the_longest_wait_is_served_and_the_next_refused_at_once() {
    let limit = limit(1, secs(1)).max_wait(secs(2));
    let start = Instant::now();
    let call = || async { (limit.acquire().await.map_err(|it| it.retry_after()), start.elapsed().as_secs()) };
    let came = tokio::join!(call(), call(), call(), call());
    assert_eq!(came, ((Ok(()), 0), (Ok(()), 1), (Ok(()), 2), (Err(Some(secs(3))), 0)));
    let seen = limit.snapshot();
    assert_eq!((seen.admitted, seen.waited, seen.rejected, seen.wait_time), (3, 2, 1, secs(3)));
}

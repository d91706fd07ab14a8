use resilient_runtime::{Backoff, Jitter, Retry};

use super::*;

#[circuit_breaker(
    name = "volume",
    failure_rate = 0.75,
    window = 4,
    min_calls = 4,
    success_threshold = 3,
    half_open_calls = 3,
    reset_timeout = "1s"
)]
async fn volume(step: char) -> Result<(), Error> {
    answer(step)
}

#[tokio::test(start_paused = true)]
async fn no_ratio_is_taken_before_the_volume_is_there() {
    assert_eq!(play(volume, "FFFFS").await, "FFFFO");
}

#[tokio::test(start_paused = true)]
async fn the_window_rolls() {
    assert_eq!(play(volume, "SSSSSSFFFS").await, "SSSSSSFFFO");
}

#[tokio::test(start_paused = true)]
async fn so_many_successes_in_a_row_close() {
    play(volume, "FFFF").await;
    advance(secs(1)).await;
    assert_eq!(play(volume, "SS").await, "SS");
    assert_eq!(state("volume"), CircuitState::HalfOpen);
    assert_eq!(play(volume, "SFFS").await, "SFFS", "closed, and it starts counting afresh");
}

#[tokio::test(start_paused = true)]
async fn the_first_failure_of_a_trial_opens_again() {
    play(volume, "FFFF").await;
    advance(secs(1)).await;
    assert_eq!(play(volume, "SSFS").await, "SSFO");
    advance(secs(1)).await;
    assert_eq!(play(volume, "SSS").await, "SSS");
    assert_eq!(state("volume"), CircuitState::Closed);
}

#[retry(max = 6, base = "10ms", budget = "none")]
async fn five_retries(error: Error) -> Result<(), Error> {
    ran();
    Err(error)
}

#[tokio::test(start_paused = true)]
async fn five_retries_are_six_runs() {
    assert_eq!(five_retries(Down).await, Err(Down));
    assert_eq!(runs(), 6);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_aborts_is_not_retried() {
    for error in [Declined, NotMine] {
        assert_eq!(five_retries(error.clone()).await, Err(error));
        assert_eq!(runs(), 1);
    }
}

#[retry(max = 100, within = "1s", base = "100ms", backoff = "fixed", jitter = "none", budget = "none")]
async fn for_a_second() -> Result<(), Error> {
    ran();
    Err(Down)
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_past_the_longest_duration() {
    let start = Instant::now();
    for_a_second().await.expect_err("always");
    assert_eq!((runs(), start.elapsed()), (10, ms(900)));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_ends_with_the_longest_duration_is_not_begun() {
    for (within, delay, attempts) in
        [(1_000, 1_000, 1), (1_000, 999, 2), (1_000, 500, 2), (1_001, 500, 3), (0, 0, 1)]
    {
        let retry = Retry::new().max(9).within(ms(within)).base(ms(delay)).backoff(Backoff::Fixed);
        let report =
            retry.jitter(Jitter::None).budget("none").run_reported(async || Err::<(), _>(Down)).await;
        assert_eq!(report.attempts, attempts, "{delay} ms within {within} ms");
        assert_eq!(report.waited, ms(delay) * (attempts - 1));
    }
}

#[retry(max = 8, base = "0s", budget = "none")]
#[circuit_breaker(name = "below", failure_threshold = 3, reset_timeout = "1m")]
async fn over_a_breaker() -> Result<(), Error> {
    ran();
    Err(Down)
}

#[tokio::test(start_paused = true)]
async fn each_attempt_passes_the_breaker_and_may_find_it_open() {
    let Err(Error::Refused(refused)) = over_a_breaker().await else { panic!("refused in the end") };
    assert_eq!(refused, Rejected::CircuitOpen { name: "below", retry_after: Some(secs(60)) });
    assert_eq!(runs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_held_open_is_not_waited_for() {
    breaker("below").force_open();
    let start = Instant::now();
    over_a_breaker().await.expect_err("refused");
    assert_eq!((runs(), breaker("below").snapshot().rejected), (0, 1));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[retry(max = 3, base = "0s", budget = "none")]
#[circuit_breaker(name = "patient", failure_threshold = 3)]
#[timeout("1s", name = "each")]
async fn hangs() -> Result<(), Error> {
    ran();
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_retried_and_is_a_failure_to_the_breaker() {
    let start = Instant::now();
    let error = hangs().await.expect_err("it hangs");
    assert_eq!(error, Error::Refused(Rejected::TimedOut { name: "each", limit: secs(1) }));
    assert_eq!((runs(), start.elapsed(), state("patient")), (3, secs(3), CircuitState::Open));
}

#[retry(max = 2, base = "1s", jitter = "none", budget = "none")]
#[timeout("1s", name = "cut")]
async fn holds(slot: &tokio::sync::Semaphore) -> Result<(), Error> {
    let _held = slot.try_acquire().or(Err(Declined))?;
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn a_body_that_timed_out_is_gone_before_the_wait_for_the_next() {
    let slot = tokio::sync::Semaphore::new(1);
    let mut call = Box::pin(holds(&slot));
    assert!(tokio::time::timeout(ms(900), &mut call).await.is_err());
    assert_eq!(slot.available_permits(), 0);
    assert!(tokio::time::timeout(ms(600), &mut call).await.is_err());
    assert_eq!(slot.available_permits(), 1, "half a second into the wait");
    let error = call.await.expect_err("it hangs again");
    assert_eq!(error, Error::Refused(Rejected::TimedOut { name: "cut", limit: secs(1) }));
}

#[fallback(fn = spare)]
#[retry(max = 3, base = "0s", budget = "none")]
async fn spared(error: Error) -> Result<(), Error> {
    ran();
    Err(error)
}

async fn spare(_: Error) -> Result<(), Error> {
    sleep(ms(1)).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_fallback_comes_after_the_last_retry() {
    assert_eq!((spared(Down).await, runs()), (Ok(()), 3));
}

#[tokio::test(start_paused = true)]
async fn what_a_fallback_skips_goes_on_to_the_caller() {
    assert_eq!((spared(Declined).await, runs()), (Err(Declined), 1));
    assert_eq!((spared(NotMine).await, runs()), (Err(NotMine), 1));
}

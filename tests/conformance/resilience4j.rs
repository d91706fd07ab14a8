use super::*;

#[circuit_breaker(name = "count", failure_rate = 0.5, window = 4, min_calls = 4)]
async fn count(step: char) -> Result<(), Error> {
    answer(step)
}

#[tokio::test(start_paused = true)]
async fn the_rate_opens_at_the_threshold_and_not_only_above() {
    assert_eq!(play(count, "SSSF").await, "SSSF");
    assert_eq!(play(count, "FS").await, "FO");
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_unknown_below_the_minimum() {
    play(count, "FFF").await;
    assert_eq!(breaker("count").snapshot().failure_rate, None);
    play(count, "S").await;
    assert_eq!(state("count"), CircuitState::Open, "three of four, decided on a success");
}

#[tokio::test(start_paused = true)]
async fn a_result_past_the_window_evicts_the_oldest() {
    play(count, "SSFSSS").await;
    assert_eq!(breaker("count").snapshot().failure_rate, Some(0.25));
    play(count, "S").await;
    assert_eq!(breaker("count").snapshot().failure_rate, Some(0.0));
    assert_eq!(play(count, "FFS").await, "FFO");
}

#[tokio::test(start_paused = true)]
async fn the_minimum_is_capped_by_a_window_of_calls() {
    let capped = CircuitBreaker::new("capped").failure_rate(0.5).window(4).min_calls(10);
    let call = |step| capped.call(async move { answer(step) });
    assert_eq!(play(call, "FFFFS").await, "FFFFO");
}

#[tokio::test(start_paused = true)]
async fn an_ignored_call_is_in_no_window() {
    assert_eq!(play(count, "XXXXFXXXS").await, "XXXXFXXXS");
    assert_eq!(breaker("count").snapshot().failure_rate, None);
}

#[tokio::test(start_paused = true)]
async fn any_share_of_a_hundred_is_reached_at_the_very_call() {
    for percent in 1..=100_u32 {
        let share = format!("{}.{:02}", percent / 100, percent % 100).parse().expect("a number");
        let breaker = CircuitBreaker::new("share").failure_rate(share).window(100).min_calls(100);
        let call = |step| breaker.call(async move { answer(step) });
        play(call, &"S".repeat(100 - percent as usize)).await;
        play(call, &"F".repeat(percent as usize - 1)).await;
        assert_eq!(breaker.state(), CircuitState::Closed, "{share}");
        assert_eq!(play(call, "F").await, "F");
        assert_eq!(breaker.state(), CircuitState::Open, "{share}");
    }
}

#[circuit_breaker(name = "time", failure_rate = 0.5, window = "10s", min_calls = 2)]
async fn time(step: char) -> Result<(), Error> {
    answer(step)
}

#[tokio::test(start_paused = true)]
async fn a_window_of_time_forgets_bucket_by_bucket() {
    play(time, "SSF").await;
    for _ in 0..9 {
        advance(secs(1)).await;
        assert!(breaker("time").snapshot().failure_rate.is_some());
    }
    advance(secs(1)).await;
    assert_eq!(breaker("time").snapshot().failure_rate, None);
    assert_eq!(play(time, "FF").await, "FF");
    assert_eq!(state("time"), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_turns_bad_as_successes_age_opens_on_the_next_result() {
    play(time, "SSS").await;
    advance(secs(5)).await;
    play(time, "FF").await;
    assert_eq!(state("time"), CircuitState::Closed, "two of five");
    advance(secs(5)).await;
    assert_eq!(play(time, "SS").await, "SO");
}

#[circuit_breaker(name = "slow", slow_call = "1s", slow_rate = 0.5, window = 4, min_calls = 2)]
async fn slow(took: Duration, step: char) -> Result<(), Error> {
    sleep(took).await;
    answer(step)
}

#[tokio::test(start_paused = true)]
async fn only_a_longer_call_is_slow() {
    for _ in 0..4 {
        slow(secs(1), 'S').await.expect("not slow");
    }
    assert_eq!(breaker("slow").snapshot().slow_rate, Some(0.0));
    for _ in 0..2 {
        slow(ms(1_001), 'S').await.expect("slow, but a success");
    }
    assert_eq!(state("slow"), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_slow_failure_counts_in_both_rates() {
    slow(secs(2), 'F').await.expect_err("a failure");
    slow(ms(1), 'S').await.expect("a success");
    let snapshot = breaker("slow").snapshot();
    assert_eq!((snapshot.slow, snapshot.failed, snapshot.state), (1, 1, CircuitState::Open));
}

#[tokio::test(start_paused = true)]
async fn a_slow_probe_opens_again() {
    for _ in 0..2 {
        slow(secs(2), 'S').await.expect("a success");
    }
    advance(secs(30)).await;
    slow(secs(2), 'S').await.expect("a probe");
    assert_eq!(state("slow"), CircuitState::Open);
}

fn is_declined(error: &Error) -> bool {
    *error == Declined
}

#[circuit_breaker(
    name = "record",
    failure_threshold = 2,
    ignore_when = is_declined,
    failure_when = |out: &Result<u32, Error>| !matches!(out, Ok(0..9))
)]
async fn record(out: Result<u32, Error>) -> Result<u32, Error> {
    out
}

#[tokio::test(start_paused = true)]
async fn ignoring_is_tested_before_recording() {
    for _ in 0..9 {
        assert_eq!(record(Err(Declined)).await, Err(Declined));
    }
    let snapshot = breaker("record").snapshot();
    assert_eq!((snapshot.ignored, snapshot.failed, snapshot.state), (9, 0, CircuitState::Closed));
}

#[circuit_breaker(
    name = "judged",
    failure_threshold = 1,
    success_threshold = 1,
    reset_timeout = "1s",
    ignore_when = |error: &Error| match error {
        NotMine => panic!("no error of ours"),
        _ => false,
    }
)]
async fn judged(step: char) -> Result<(), Error> {
    answer(step)
}

#[tokio::test(start_paused = true)]
async fn a_predicate_that_panics_keeps_no_place_of_a_probe() {
    play(judged, "F").await;
    for _ in 0..3 {
        advance(secs(1)).await;
        tokio::spawn(judged('X')).await.expect_err("it panics");
        assert_eq!(play(judged, "S").await, "O", "a probe that panics has failed");
    }
    advance(secs(1)).await;
    assert_eq!(play(judged, "SS").await, "SS");
    assert_eq!(breaker("judged").snapshot().panicked, 3);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_counts_as_a_failure_is_returned_all_the_same() {
    assert_eq!((record(Ok(9)).await, record(Ok(10)).await), (Ok(9), Ok(10)));
    assert_eq!(state("record"), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn what_is_neither_recorded_nor_ignored_is_a_success() {
    let _ = record(Ok(9)).await;
    assert_eq!(record(Ok(1)).await, Ok(1));
    let _ = record(Ok(9)).await;
    assert_eq!(state("record"), CircuitState::Closed);
}

#[circuit_breaker(
    name = "growing",
    failure_threshold = 1,
    success_threshold = 1,
    reset_timeout = "10s",
    reset_factor = 2.0,
    max_reset_timeout = "35s"
)]
async fn growing(step: char) -> Result<(), Error> {
    answer(step)
}

#[tokio::test(start_paused = true)]
async fn the_open_time_grows_from_probe_to_probe_and_starts_again_once_closed() {
    for expected in [10, 20, 35, 35] {
        play(growing, "F").await;
        assert_eq!(breaker("growing").snapshot().retry_after, Some(secs(expected)));
        advance(ms(expected * 1_000 - 1)).await;
        assert_eq!(play(growing, "S").await, "O");
        advance(ms(1)).await;
    }
    assert_eq!(play(growing, "SF").await, "SF");
    assert_eq!(breaker("growing").snapshot().retry_after, Some(secs(10)));
}

#[tokio::test(start_paused = true)]
async fn states_by_hand() {
    let breaker = breaker("count");
    breaker.force_open();
    assert_eq!(play(count, "S").await, "O");
    breaker.disable();
    assert_eq!(play(count, "FFFFFFFFS").await, "FFFFFFFFS");
    breaker.observe();
    assert_eq!(play(count, "FFFFFFFFS").await, "FFFFFFFFS");
    assert!(breaker.snapshot().would_reject > 0);
    breaker.reset();
    assert_eq!(play(count, "FFFFS").await, "FFFFO");
}

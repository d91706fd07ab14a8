//! Rules of other systems, ported: each test names the rule, each module the system.
//!
//! In a script `S` is a success, `F` a failure, `X` an ignored error, `P` a permanent one; in what
//! came of it `O` stands for a call that an open breaker refused.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::cell::{Cell, RefCell};
use std::time::Duration;

use resilient_runtime::{
    CircuitBreaker, CircuitState, Class, Classify, Rejected, RetryCause, attempt, circuit_breaker, configure,
    deadline, fallback, inherit, registry, retry, test_util, timeout,
};
use tokio::time::{Instant, advance, sleep};

#[derive(Clone, Debug, PartialEq)]
enum Error {
    Down,
    Declined,
    NotMine,
    Busy(Duration),
    Refused(Rejected),
}

use Error::{Busy, Declined, Down, NotMine};

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        Self::Refused(rejected)
    }
}

impl Classify for Error {
    fn classify(&self) -> Class {
        match self {
            Down => Class::Transient,
            Declined => Class::Permanent,
            NotMine => Class::Ignored,
            Busy(after) => Class::Throttled { after: Some(*after) },
            Self::Refused(rejected) => rejected.classify(),
        }
    }

    fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Refused(rejected) => Some(rejected),
            _ => None,
        }
    }
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn answer(step: char) -> Result<(), Error> {
    match step {
        'F' => Err(Down),
        'X' => Err(NotMine),
        'P' => Err(Declined),
        _ => Ok(()),
    }
}

/// Plays a script against a guarded function, and writes down what came of each call.
async fn play<F>(function: impl Fn(char) -> F, script: &str) -> String
where
    F: Future<Output = Result<(), Error>>,
{
    let mut came = String::new();
    for step in script.chars() {
        came.push(match function(step).await {
            Err(Error::Refused(Rejected::CircuitOpen { .. })) => 'O',
            result if result == answer(step) => step,
            other => panic!("{step} gave {other:?}"),
        });
    }
    came
}

fn breaker(name: &str) -> &'static CircuitBreaker {
    registry().circuit_breaker(name).expect("a function uses it")
}

fn state(name: &str) -> CircuitState {
    breaker(name).state()
}

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
    static WAITS: RefCell<Vec<Duration>> = const { RefCell::new(Vec::new()) };
}

/// How often a body ran since the last question.
fn runs() -> u32 {
    RUNS.take()
}

fn ran() {
    RUNS.set(RUNS.get() + 1);
}

/// A hook that writes the waits down.
fn waits_noted(_: u32, delay: Duration, _: RetryCause<'_, Error>) {
    WAITS.with_borrow_mut(|waits| waits.push(delay));
}

fn waits() -> Vec<Duration> {
    WAITS.take()
}

mod resilience4j {
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
}

mod polly {
    use super::*;

    #[circuit_breaker(name = "ratio", failure_rate = 1.0, window = "30s", min_calls = 2)]
    async fn ratio(step: char) -> Result<(), Error> {
        answer(step)
    }

    #[tokio::test(start_paused = true)]
    async fn below_the_throughput_nothing_opens() {
        assert_eq!(play(ratio, "F").await, "F");
        advance(secs(31)).await;
        assert_eq!(play(ratio, "F").await, "F", "the first one is out of the window");
        assert_eq!(play(ratio, "FS").await, "FO");
    }

    #[tokio::test(start_paused = true)]
    async fn the_break_is_over_at_its_very_end() {
        play(ratio, "FF").await;
        advance(ms(29_999)).await;
        assert_eq!(play(ratio, "S").await, "O");
        advance(ms(1)).await;
        assert_eq!(play(ratio, "S").await, "S");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rejection_says_when_to_come_back() {
        play(ratio, "FF").await;
        advance(secs(12)).await;
        let Err(Error::Refused(refused)) = ratio('S').await else { panic!("it is open") };
        assert_eq!(refused.retry_after(), Some(secs(18)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_is_not_handled_closes_from_half_open() {
        play(ratio, "FF").await;
        advance(secs(30)).await;
        assert_eq!(play(ratio, "PP").await, "PP");
        assert_eq!(state("ratio"), CircuitState::Closed);
    }

    #[timeout("1s", name = "bounded")]
    async fn bounded(answer: tokio::sync::oneshot::Receiver<u32>) -> Result<u32, Error> {
        answer.await.or(Err(Down))
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_that_is_there_when_the_time_is_up_wins() {
        let (tell, told) = tokio::sync::oneshot::channel();
        let mut call = Box::pin(bounded(told));
        assert!(futures_poll(&mut call).await.is_none());
        advance(secs(5)).await;
        tell.send(7).expect("somebody waits");
        assert_eq!(call.await, Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_at_the_very_deadline_wins() {
        #[timeout("1s")]
        async fn last_moment() -> Result<u32, Error> {
            sleep(secs(1)).await;
            Ok(1)
        }
        assert_eq!(last_moment().await, Ok(1));
    }

    /// Polls once.
    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|cx| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(cx) {
                std::task::Poll::Ready(out) => Some(out),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }

    #[retry(max = 5, base = "0s", budget = "none")]
    async fn at_once() -> Result<(), Error> {
        ran();
        Err(Down)
    }

    #[test]
    fn a_delay_of_zero_needs_no_timer() {
        let mut call = std::pin::pin!(at_once());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        while call.as_mut().poll(&mut cx).is_pending() {}
        assert_eq!(runs(), 5);
    }
}

mod microprofile {
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
}

mod gobreaker {
    use super::*;

    #[circuit_breaker(
        name = "requests",
        failure_threshold = 2,
        half_open_calls = 3,
        success_threshold = 3,
        reset_timeout = "1s"
    )]
    async fn requests(step: char, took: Duration) -> Result<(), Error> {
        sleep(took).await;
        answer(step)
    }

    fn at_once(step: char) -> impl Future<Output = Result<(), Error>> {
        requests(step, Duration::ZERO)
    }

    async fn to_half_open() {
        play(at_once, "FF").await;
        advance(secs(1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_clears_the_consecutive_failures() {
        assert_eq!(play(at_once, "FSFSFXFS").await, "FSFSFXFO", "what is ignored does not clear them");
    }

    #[tokio::test(start_paused = true)]
    async fn half_open_takes_so_many_requests_at_once_and_no_more() {
        to_half_open().await;
        let slow = [(); 3].map(|()| tokio::spawn(requests('S', ms(500))));
        tokio::task::yield_now().await;
        assert_eq!(play(at_once, "SS").await, "OO");
        for call in slow {
            call.await.expect("no panic").expect("a probe");
        }
        assert_eq!(state("requests"), CircuitState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn an_excluded_result_gives_its_slot_back() {
        to_half_open().await;
        assert_eq!(play(at_once, "XXXXXXSSS").await, "XXXXXXSSS");
        assert_eq!(state("requests"), CircuitState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn results_of_an_earlier_generation_do_not_count() {
        let late = [(); 2].map(|()| tokio::spawn(requests('F', secs(2))));
        let good = tokio::spawn(requests('S', secs(1) + ms(10)));
        tokio::task::yield_now().await;
        to_half_open().await;
        play(at_once, "SS").await;
        good.await.expect("no panic").expect("a success from before the outage");
        assert_eq!(state("requests"), CircuitState::HalfOpen);
        play(at_once, "S").await;
        for call in late {
            call.await.expect("no panic").expect_err("a failure from before the outage");
        }
        assert_eq!(state("requests"), CircuitState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn a_result_of_an_earlier_trial_does_not_count_in_the_next() {
        to_half_open().await;
        let late = tokio::spawn(requests('F', secs(2)));
        tokio::task::yield_now().await;
        play(at_once, "F").await;
        advance(secs(1)).await;
        play(at_once, "SS").await;
        late.await.expect("no panic").expect_err("a failure of the first trial");
        assert_eq!(state("requests"), CircuitState::HalfOpen);
        play(at_once, "S").await;
        assert_eq!(state("requests"), CircuitState::Closed);
    }
}

mod failsafe {
    use super::*;

    #[retry(
        max = 7,
        base = "1s",
        factor = 2.0,
        max_delay = "10s",
        jitter = "none",
        budget = "none",
        on_retry = waits_noted
    )]
    async fn exponential() -> Result<(), Error> {
        Err(Down)
    }

    #[tokio::test(start_paused = true)]
    async fn delays_double_up_to_the_cap() {
        exponential().await.expect_err("always");
        assert_eq!(waits(), [1, 2, 4, 8, 10, 10].map(secs));
    }

    #[retry(max = 5, base = "1s", backoff = "linear", jitter = "none", budget = "none", on_retry = waits_noted)]
    async fn linear() -> Result<(), Error> {
        Err(Down)
    }

    #[retry(
        max = 6,
        base = "1s",
        backoff = "fibonacci",
        jitter = "none",
        budget = "none",
        on_retry = waits_noted
    )]
    async fn fibonacci() -> Result<(), Error> {
        Err(Down)
    }

    #[tokio::test(start_paused = true)]
    async fn other_shapes_grow_as_they_are_called() {
        linear().await.expect_err("always");
        assert_eq!(waits(), [1, 2, 3, 4].map(secs));
        fibonacci().await.expect_err("always");
        assert_eq!(waits(), [1, 2, 3, 5, 8].map(secs));
    }

    #[retry(max = 3, base = "0s", budget = "none", when_ok = Vec::is_empty)]
    async fn list() -> Result<Vec<u32>, Error> {
        ran();
        Ok(Vec::new())
    }

    #[tokio::test(start_paused = true)]
    async fn a_result_may_be_retried_and_the_last_one_is_returned() {
        assert_eq!((list().await, runs()), (Ok(Vec::new()), 3));
    }

    #[fallback(fn = [first, second])]
    async fn primary() -> Result<&'static str, Error> {
        Err(Down)
    }

    fn first() -> Result<&'static str, Error> {
        ran();
        Err(Declined)
    }

    async fn second() -> Result<&'static str, Error> {
        sleep(ms(1)).await;
        ran();
        Ok("second")
    }

    #[tokio::test(start_paused = true)]
    async fn a_fallback_may_have_a_fallback() {
        assert_eq!((primary().await, runs()), (Ok("second"), 2));
    }
}

mod defaults {
    use super::*;

    #[retry(max = 10, jitter = "none", on_retry = waits_noted)]
    async fn schedule() -> Result<(), Error> {
        Err(Down)
    }

    #[tokio::test(start_paused = true)]
    async fn delays_double_from_a_tenth_of_a_second_to_ten() {
        schedule().await.expect_err("always");
        assert_eq!(waits(), [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000].map(ms));
    }

    #[retry(max = 500, base = "0s")]
    async fn spends() -> Result<(), Error> {
        ran();
        Err(Down)
    }

    #[retry(base = "0s")]
    async fn thrice() -> Result<(), Error> {
        ran();
        Err(Down)
    }

    #[tokio::test(start_paused = true)]
    async fn three_attempts_which_one_budget_pays_for_all() {
        thrice().await.expect_err("always");
        assert_eq!(runs(), 3);
        spends().await.expect_err("always");
        assert_eq!(runs(), 1 + 108, "two of a hundred and ten were spent before");
        thrice().await.expect_err("always");
        assert_eq!(runs(), 1);
    }

    #[circuit_breaker(name = "plain")]
    async fn plain(step: char) -> Result<(), Error> {
        answer(step)
    }

    #[tokio::test(start_paused = true)]
    async fn five_failures_open_for_half_a_minute_and_two_successes_close() {
        assert_eq!(play(plain, "FFFFSFFFFFS").await, "FFFFSFFFFFO");
        advance(ms(29_999)).await;
        assert_eq!(play(plain, "S").await, "O");
        advance(ms(1)).await;
        let probe = breaker("plain").acquire().expect("one at once");
        assert_eq!(play(plain, "S").await, "O");
        probe.success();
        assert_eq!(play(plain, "F").await, "F");
        advance(secs(30)).await;
        assert_eq!(play(plain, "SSF").await, "SSF");
        assert_eq!(state("plain"), CircuitState::Closed);
    }

    #[retry(max = 3, base = "0s", budget = "none")]
    #[circuit_breaker(name = "keyed once", key = counted(tenant))]
    async fn keyed(tenant: &str) -> Result<(), Error> {
        ran();
        answer(if tenant.is_empty() { 'S' } else { 'F' })
    }

    fn counted(tenant: &str) -> &str {
        WAITS.with_borrow_mut(|asked| asked.push(ms(runs_so_far())));
        tenant
    }

    fn runs_so_far() -> u64 {
        u64::from(RUNS.get())
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_asked_for_once_before_each_body() {
        keyed("acme").await.expect_err("always");
        assert_eq!((waits(), runs()), ([0, 1, 2].map(ms).to_vec(), 3));
    }
}

mod retry_after {
    use super::*;

    #[retry(
        max = 2,
        base = "1s",
        jitter = "none",
        max_retry_after = "20s",
        within = "1m",
        budget = "none",
        on_retry = waits_noted
    )]
    async fn obedient(error: Error) -> Result<(), Error> {
        Err(error)
    }

    async fn waited(asked: Duration) -> Vec<Duration> {
        assert_eq!(obedient(Busy(asked)).await, Err(Busy(asked)));
        waits()
    }

    #[tokio::test(start_paused = true)]
    async fn never_earlier_than_asked_and_never_parked() {
        assert_eq!(waited(Duration::ZERO).await, [secs(1)]);
        assert_eq!(waited(ms(999)).await, [secs(1)]);
        assert_eq!(waited(secs(15)).await, [secs(15)], "more than max_delay");
        assert_eq!(waited(secs(20)).await, [secs(20)]);
        assert_eq!(waited(secs(20) + Duration::from_nanos(1)).await, []);
        assert_eq!(waited(Duration::MAX).await, []);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hint_past_the_time_left_ends_the_call() {
        configure()
            .retry("conformance::retry_after::obedient", |r| r.within(secs(15)))
            .install()
            .expect("fine");
        assert_eq!(waited(secs(14)).await, [secs(14)]);
        assert_eq!(waited(secs(15)).await, []);
    }

    #[retry(max = 3, base = "1s", jitter = "none", budget = "none", on_retry = waits_noted)]
    #[circuit_breaker(name = "soon", failure_threshold = 1, success_threshold = 1, reset_timeout = "10s")]
    async fn soon() -> Result<(), Error> {
        answer(if attempt() == 1 { 'F' } else { 'S' })
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_breaker_is_waited_out_and_a_base_longer() {
        assert_eq!(soon().await, Ok(()));
        assert_eq!(waits(), [secs(1), secs(9) + secs(1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_breaker_open_for_longer_than_the_cap_surfaces_at_once() {
        configure()
            .circuit_breaker("soon", |b| b.reset_timeout(secs(11) + ms(1)))
            .install()
            .expect("nothing is wrong");
        let error = soon().await.expect_err("it stays open");
        let left = secs(10) + ms(1);
        assert_eq!(error, Error::Refused(Rejected::CircuitOpen { name: "soon", retry_after: Some(left) }));
        assert_eq!(waits(), [secs(1)]);
    }
}

mod jitter {
    use super::*;

    const SEEDS: u64 = 300;
    const BASE: f64 = 0.1;

    macro_rules! jittered {
        ($($name:ident = $jitter:literal),*) => {$(
            #[retry(max = 8, base = "100ms", max_delay = "2s", jitter = $jitter, budget = "none", on_retry = waits_noted)]
            async fn $name() -> Result<(), Error> {
                Err(Down)
            }
        )*};
    }

    jittered!(full = "full", equal = "equal", decorrelated = "decorrelated");

    /// Seven delays in seconds of each of many calls.
    async fn sample<F: Future<Output = Result<(), Error>>>(call: fn() -> F) -> Vec<Vec<f64>> {
        let mut all = Vec::new();
        for seed in 0..SEEDS {
            test_util::seed(seed);
            call().await.expect_err("always");
            all.push(waits().iter().map(Duration::as_secs_f64).collect());
        }
        all
    }

    /// The delay without jitter before retry `n`.
    fn nominal(n: i32) -> f64 {
        (BASE * 2_f64.powi(n)).min(2.0)
    }

    /// Each delay lies in its bounds, and the delays fill them.
    fn assert_fills(sample: &[Vec<f64>], bounds: impl Fn(f64) -> (f64, f64)) {
        for (n, nominal) in (0..7).map(nominal).enumerate() {
            let (least, most) = bounds(nominal);
            let delays: Vec<f64> = sample.iter().map(|delays| delays[n]).collect();
            let (low, high) = delays.iter().fold((f64::MAX, 0.0_f64), |(l, h), &d| (l.min(d), h.max(d)));
            let slack = (most - least) / 20.0;
            assert!((least..least + slack).contains(&low), "{n}: {low} of {least}..{most}");
            assert!((most - slack..=most).contains(&high), "{n}: {high} of {least}..{most}");
            #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
            let mean = delays.iter().sum::<f64>() / delays.len() as f64;
            let off = (mean - f64::midpoint(least, most)).abs();
            assert!(off < slack * 2.0, "{n}: mean {mean} of {least}..{most}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn full_is_anything_up_to_the_delay() {
        assert_fills(&sample(full).await, |nominal| (0.0, nominal));
    }

    #[tokio::test(start_paused = true)]
    async fn equal_is_half_and_anything_up_to_the_other_half() {
        assert_fills(&sample(equal).await, |nominal| (nominal / 2.0, nominal));
    }

    #[tokio::test(start_paused = true)]
    async fn decorrelated_is_from_the_base_to_three_times_the_one_before() {
        let sample = sample(decorrelated).await;
        let befores = |delays: &[f64]| [&[BASE], delays].concat();
        let pairs = sample.iter().flat_map(|delays| befores(delays).into_iter().zip(delays.clone()));
        let (mut widest, mut capped) = (0.0_f64, 0);
        for (before, delay) in pairs {
            let most = (3.0 * before).min(2.0);
            assert!((BASE..=most + 1e-9).contains(&delay), "{delay} after {before}");
            widest = widest.max((delay - BASE) / (3.0 * before - BASE));
            capped += u32::from(delay >= 2.0);
        }
        assert!(widest > 0.99 && capped > 10, "{widest}, {capped} at the cap");
    }

    #[retry(max = 8, base = "100ms", max_delay = "100ms", jitter = "decorrelated", budget = "none", on_retry = waits_noted)]
    async fn capped() -> Result<(), Error> {
        Err(Down)
    }

    #[tokio::test(start_paused = true)]
    async fn the_cap_holds_after_jitter() {
        for delays in sample(capped).await {
            assert_eq!(delays, [BASE; 7]);
        }
    }
}

mod finagle {
    use super::*;

    #[retry(max = 500, base = "0s", budget = "shared")]
    async fn spends() -> Result<(), Error> {
        ran();
        Err(Down)
    }

    #[retry(max = 2, base = "0s", budget = "shared")]
    async fn earns(step: char) -> Result<(), Error> {
        ran();
        answer(step)
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_and_a_reserve_of_ten_then_a_fifth_per_call_and_ten_a_second() {
        spends().await.expect_err("always");
        assert_eq!(runs(), 1 + 110);
        for _ in 0..4 {
            earns('S').await.expect("a success");
        }
        earns('F').await.expect_err("a failure");
        assert_eq!(runs(), 5 + 1, "five calls have earned one retry");
        earns('F').await.expect_err("a failure");
        assert_eq!(runs(), 1);
        advance(ms(100)).await;
        earns('F').await.expect_err("a failure");
        assert_eq!(runs(), 2, "a tenth of a second is worth one");
        advance(secs(60)).await;
        spends().await.expect_err("always");
        assert_eq!(runs(), 1 + 10, "the reserve holds ten");
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_of_steady_traffic_costs_a_fifth_more_calls() {
        spends().await.expect_err("always");
        runs();
        for _ in 0..1_000 {
            earns('F').await.expect_err("a failure");
        }
        assert_eq!(runs(), 1_200);
    }
}

mod frame {
    use super::*;

    #[retry(max = 2, base = "0s", budget = "none")]
    async fn inner(seen: &RefCell<Vec<(u32, u32)>>, outer: u32) -> Result<(), Error> {
        seen.borrow_mut().push((outer, attempt()));
        Err(Down)
    }

    #[retry(max = 2, base = "0s", budget = "none")]
    async fn outer(seen: &RefCell<Vec<(u32, u32)>>) -> Result<(), Error> {
        let before = attempt();
        let out = inner(seen, before).await;
        assert_eq!(attempt(), before, "restored once the call inside is over");
        out
    }

    #[tokio::test(start_paused = true)]
    async fn nested_retries_know_their_own_attempts() {
        let seen = RefCell::default();
        outer(&seen).await.expect_err("always");
        assert_eq!(seen.take(), [(1, 1), (1, 2), (2, 1), (2, 2)]);
        assert_eq!(attempt(), 1);
    }

    #[timeout("10s")]
    async fn asks() -> Result<Option<Duration>, Error> {
        Ok(deadline().map(|at| at - Instant::now()))
    }

    #[timeout("4s")]
    #[retry(max = 2, within = "3s", base = "0s", budget = "none")]
    async fn bounded(first: Duration) -> Result<Option<Duration>, Error> {
        if attempt() == 1 {
            sleep(first).await;
            return Err(Down);
        }
        asks().await
    }

    #[tokio::test(start_paused = true)]
    async fn the_nearest_deadline_holds_for_all_inside() {
        assert_eq!(bounded(secs(1)).await, Ok(Some(secs(2))));
        assert_eq!(asks().await, Ok(Some(secs(10))));
        assert_eq!(deadline(), None);
    }

    #[retry(max = 2, base = "0s", budget = "none", within = "5s")]
    async fn spawns() -> Result<(u32, Option<Instant>), Error> {
        if attempt() == 1 {
            return Err(Down);
        }
        let plain = tokio::spawn(async { (attempt(), deadline()) });
        assert_eq!(plain.await.or(Err(Down))?, (1, None), "a task knows nothing of its own accord");
        tokio::spawn(inherit(async { (attempt(), deadline()) })).await.or(Err(Down))
    }

    #[tokio::test(start_paused = true)]
    async fn spawned_work_inherits_attempt_and_deadline_when_asked() {
        let start = Instant::now();
        assert_eq!(spawns().await, Ok((2, Some(start + secs(5)))));
    }

    #[retry(max = 3, base = "10ms", jitter = "none", budget = "none")]
    async fn counts(good: u32) -> Result<u32, Error> {
        tokio::task::yield_now().await;
        if attempt() == good { Ok(attempt()) } else { Err(Down) }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_side_by_side_keep_their_frames_apart() {
        assert_eq!(tokio::join!(counts(1), counts(2), counts(3)), (Ok(1), Ok(2), Ok(3)));
    }
}

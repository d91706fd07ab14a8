//! Settings, clocks, panics and callers that nobody should hope for: never a panic of ours, never
//! a breaker that is stuck, never memory without bounds.

#![expect(clippy::expect_used, clippy::panic, reason = "user code panics on purpose, and a test to fail")]

use std::cell::Cell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use resilient_runtime::{
    Backoff, CircuitBreaker, CircuitState, Class, Classify, Fault, Jitter, Rejected, Retry, Timeout, attempt,
    circuit_breaker, configure, deadline, fallback, registry, retry, test_util, timeout,
};
use tokio::time::{advance, sleep};

type Failure = Fault<&'static str>;

const DOWN: Failure = Fault::Failed("down");
const TIMES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_nanos(1),
    Duration::from_secs(1),
    Duration::from_secs(u64::MAX),
    Duration::MAX,
];
const NUMBERS: [f64; 9] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 0.5, 1.0, f64::MAX, 1e-320];
const COUNTS: [u32; 4] = [0, 1, 2, u32::MAX];
const YEARS: Duration = Duration::from_secs(20 * 365 * 24 * 3_600);

fn breaker(name: &str) -> &'static CircuitBreaker {
    registry().circuit_breaker(name).expect("a function uses it")
}

fn is_refused<T>(out: &Result<T, Failure>) -> bool {
    matches!(out, Err(Fault::Rejected(Rejected::CircuitOpen { .. })))
}

/// Polls by hand, as where no runtime is.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Every odd time with every odd number and every odd count.
fn everything() -> impl Iterator<Item = (Duration, f64, u32)> {
    let numbers = |time| NUMBERS.into_iter().map(move |number| (time, number));
    let counts = |(time, number)| COUNTS.into_iter().map(move |count| (time, number, count));
    TIMES.into_iter().flat_map(numbers).flat_map(counts)
}

mod settings {
    use super::*;

    const SHAPES: [Backoff; 4] = [Backoff::Fixed, Backoff::Linear, Backoff::Exponential, Backoff::Fibonacci];

    #[tokio::test(start_paused = true)]
    async fn no_schedule_is_too_odd_to_run() {
        for (base, factor, shape) in everything() {
            let shape = shape as usize % SHAPES.len();
            let retry = Retry::new().backoff(SHAPES[shape]).base(base).factor(factor).max(5).budget("none");
            five_attempts(retry.jitter(Jitter::None)).await;
            five_attempts(retry.jitter(Jitter::Full)).await;
            five_attempts(retry.jitter(Jitter::Equal)).await;
            five_attempts(retry.jitter(Jitter::Decorrelated)).await;
        }
    }

    async fn five_attempts(retry: Retry) {
        let start = tokio::time::Instant::now();
        let runs = Cell::new(0);
        let out = retry.run(|| async {
            runs.set(runs.get() + 1);
            Err::<(), _>(DOWN)
        });
        assert_eq!((out.await, runs.get()), (Err(DOWN), 5));
        assert!(start.elapsed() <= Duration::from_millis(4 * 10_001), "the cap holds for each of four");
    }

    async fn third_time() -> Result<u32, Failure> {
        (attempt() == 3).then_some(3).ok_or(DOWN)
    }

    #[tokio::test(start_paused = true)]
    async fn no_limit_of_a_retry_is_too_odd_to_run() {
        for (time, _, max) in everything() {
            let retry = Retry::new().max(max).within(time).max_retry_after(time).budget("none");
            let out = retry.base(Duration::ZERO).run(third_time).await;
            assert!(out == Err(DOWN) || out == Ok(3), "{out:?}");
        }
    }

    fn odd(time: Duration, number: f64, count: u32) -> CircuitBreaker {
        let odd = CircuitBreaker::new("odd").reset_timeout(time).reset_factor(number);
        let odd = odd.max_reset_timeout(time).half_open_timeout(time).ramp(time);
        odd.half_open_calls(count).success_threshold(count)
    }

    fn odd_breakers(time: Duration, number: f64, count: u32) -> [CircuitBreaker; 3] {
        let by_calls = odd(time, number, count).failure_rate(number).window(count).min_calls(count);
        [
            odd(time, number, count).failure_threshold(count),
            by_calls.slow_call(time).slow_rate(number),
            odd(time, number, count).failure_rate(number).window(time).min_calls(count),
        ]
    }

    #[tokio::test(start_paused = true)]
    async fn no_breaker_is_too_odd_to_call() {
        for (time, number, count) in everything() {
            let [in_a_row, by_calls, by_time] = odd_breakers(time, number, count);
            drive(&in_a_row, time, count).await;
            drive(&by_calls, time, count).await;
            drive(&by_time, time, count).await;
        }
    }

    async fn drive(breaker: &CircuitBreaker, time: Duration, count: u32) {
        opens_and_closes(breaker, time, count).await;
        keeps_no_place(breaker).await;
    }

    async fn opens_and_closes(breaker: &CircuitBreaker, time: Duration, count: u32) {
        let call = async |out: Result<(), Failure>| breaker.call(async { out }).await;
        for _ in 0..3 {
            let _ = call(Err(DOWN)).await;
        }
        let opens = count <= 3;
        assert_eq!(is_refused(&call(Ok(())).await), opens, "{breaker:?}");
        if !opens || time > Duration::from_secs(1) {
            return;
        }
        advance(Duration::from_millis(1_001)).await;
        for _ in 0..count.max(1) {
            assert_eq!(call(Ok(())).await, Ok(()), "{breaker:?}");
        }
        assert_eq!(breaker.state(), CircuitState::Closed, "{breaker:?}");
    }

    async fn keeps_no_place(breaker: &CircuitBreaker) {
        for step in 0..40 {
            let out = if step % 4 == 3 { Ok(()) } else { Err(DOWN) };
            let _ = breaker.call(async { out }).await;
            advance(Duration::from_millis(1)).await;
        }
        let held: Vec<_> = (0..2_000).map_while(|_| breaker.acquire().ok()).collect();
        let admitted = !held.is_empty();
        drop(held);
        // One of many, because a breaker that has just closed may let in few.
        assert!(!admitted || (0..2_000).any(|_| breaker.acquire().is_ok()), "{breaker:?}");
        let snapshot = breaker.snapshot();
        assert!(snapshot.failure_rate.is_none_or(|rate| (0.0..=1.0).contains(&rate)), "{snapshot:?}");
    }

    #[retry(max = 2, name = "odd")]
    #[circuit_breaker(name = "odd")]
    #[timeout("1s", name = "odd")]
    async fn configured() -> Result<(), Failure> {
        Err(DOWN)
    }

    #[tokio::test(start_paused = true)]
    async fn no_configuration_is_too_odd_to_refuse_or_to_run() {
        for (time, number, count) in everything() {
            let odd = configure()
                .timeout("odd", |t| t.limit(time))
                .retry("odd", |r| r.max(count).base(time).factor(number).within(time).budget(""))
                .circuit_breaker("odd", |b| b.failure_rate(number).window(count).ramp(time));
            let error = odd.install().expect_err("a budget has a name");
            assert!(error.faults().iter().any(|fault| fault.key == Some("budget")), "{error}");
        }
        assert_eq!(configured().await, Err(DOWN));
    }
}

mod clocks {
    use super::*;

    #[retry(max = 3, base = "1s", within = "1m", name = "years", budget = "years")]
    #[circuit_breaker(name = "years", failure_rate = 0.5, window = "10s", min_calls = 2, ramp = "1s")]
    #[timeout("1s", name = "years")]
    async fn guarded(out: Result<u32, Failure>, took: Duration) -> Result<u32, Failure> {
        sleep(took).await;
        out
    }

    async fn thrice(out: Result<u32, Failure>) {
        for _ in 0..3 {
            let _ = guarded(out.clone(), Duration::ZERO).await;
            advance(Duration::from_secs(2)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn years_pass_between_and_within_calls() {
        for _ in 0..8 {
            thrice(Err(DOWN)).await;
            let call = tokio::spawn(guarded(Ok(1), YEARS));
            tokio::task::yield_now().await;
            advance(YEARS).await;
            let _ = call.await.expect("no panic");
            advance(Duration::from_secs(3_600)).await;
            thrice(Ok(1)).await;
            assert_eq!(guarded(Ok(1), Duration::ZERO).await, Ok(1));
            assert_eq!(breaker("years").state(), CircuitState::Closed);
        }
    }
}

mod panics {
    use super::*;

    /// An error whose own judgement panics while it is told to.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Touchy(bool);

    impl Classify for Touchy {
        fn classify(&self) -> Class {
            assert!(!self.0, "a bug in the error");
            Class::Transient
        }
    }

    async fn panics<T>(call: impl Future<Output = T>) -> bool {
        use std::future::poll_fn;
        let mut call = Box::pin(call);
        let caught = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))) {
            Ok(Poll::Ready(_)) => Poll::Ready(false),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(true),
        });
        caught.await
    }

    #[circuit_breaker(name = "touchy", failure_threshold = 1, success_threshold = 1, reset_timeout = "1s")]
    async fn touchy(out: Result<(), Fault<Touchy>>) -> Result<(), Fault<Touchy>> {
        out
    }

    #[circuit_breaker(
        name = "rude",
        failure_threshold = 1,
        success_threshold = 1,
        reset_timeout = "1s",
        ignore_when = |_: &Failure| panic!("a bug in the predicate"),
        failure_when = |_: &Result<(), Failure>| panic!("a bug in the predicate")
    )]
    async fn rude(out: Result<(), Failure>) -> Result<(), Failure> {
        out
    }

    #[tokio::test(start_paused = true)]
    async fn a_judgement_that_panics_at_a_probe_gives_the_place_back() {
        for round in 0..3_usize {
            assert!(panics(touchy(Err(Fault::Failed(Touchy(true))))).await, "{round}");
            assert!(panics(rude([Ok(()), Err(DOWN)][round % 2].clone())).await, "{round}");
            let states =
                ["touchy", "rude"].map(|name| (breaker(name).state(), breaker(name).snapshot().panicked));
            assert_eq!(states, [(CircuitState::Open, round as u64 + 1); 2]);
            advance(Duration::from_secs(1)).await;
        }
        assert_eq!(touchy(Ok(())).await, Ok(()));
        assert_eq!(breaker("touchy").state(), CircuitState::Closed);
    }

    #[retry(max = 3, base = "0s", name = "keyed")]
    #[circuit_breaker(name = "keyed", key = broken(tenant), failure_threshold = 1)]
    async fn keyed(tenant: &str) -> Result<(), Failure> {
        let _ = tenant;
        Ok(())
    }

    fn broken(tenant: &str) -> &str {
        assert!(!tenant.is_empty(), "a bug in the key");
        tenant
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_panics_is_the_calls_panic_and_harms_no_other() {
        assert!(panics(keyed("")).await);
        assert_eq!(keyed("acme").await, Ok(()));
        assert_eq!(breaker("keyed").snapshot().keys, 1);
    }

    #[retry(
        max = 3,
        base = "0s",
        budget = "none",
        when_ok = |n: &u32| if *n == 7 { panic!("a bug in the predicate") } else { *n == 8 },
        on_retry = |_, _, _| panic!("a bug in the hook")
    )]
    async fn hooked(n: u32) -> Result<u32, Failure> {
        Ok(n)
    }

    #[tokio::test(start_paused = true)]
    async fn a_predicate_panics_the_call_and_a_hook_does_not() {
        assert!(panics(hooked(7)).await);
        assert_eq!((hooked(8).await, hooked(9).await), (Ok(8), Ok(9)));
        assert_eq!(attempt(), 1, "the frame is gone");
    }

    #[fallback(fn = worse)]
    #[timeout("1s", name = "frail")]
    async fn frail() -> Result<(), Failure> {
        assert!(deadline().is_some());
        panic!("a bug in the body")
    }

    fn worse() -> Result<(), Failure> {
        panic!("never asked: a panic is no error")
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_leaves_no_deadline_behind() {
        assert!(panics(frail()).await);
        assert_eq!(deadline(), None);
    }
}

mod callers {
    use super::*;

    #[circuit_breaker(name = "many", key = tenant, failure_threshold = 2)]
    async fn per_tenant(tenant: u32, out: Result<(), Failure>) -> Result<(), Failure> {
        out
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_thousand_keys_take_the_room_of_a_thousand() {
        for tenant in 0..100_000 {
            per_tenant(tenant, Ok(())).await.expect("a breaker of its own");
        }
        assert_eq!(breaker("many").snapshot().keys, 1_000);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_all_fail_share_what_room_there_is() {
        for tenant in 0..3_000 {
            let _ = per_tenant(tenant, Err(DOWN)).await;
        }
        let snapshot = breaker("many").snapshot();
        assert_eq!((snapshot.keys, snapshot.failed + snapshot.rejected), (1_000, 3_000));
        assert!(is_refused(&per_tenant(9_999, Ok(())).await), "the overflow is open");
        assert_eq!(per_tenant(1, Ok(())).await, Ok(()), "a key with a place is not");
    }

    #[retry(max = 2, base = "0s", budget = "none")]
    #[circuit_breaker(name = "deep")]
    #[timeout("1h", name = "deep")]
    async fn deep(levels: u32) -> Result<u32, Failure> {
        tokio::task::yield_now().await;
        if levels == 0 {
            return if attempt() == 1 { Err(DOWN) } else { Ok(1) };
        }
        Ok(Box::pin(deep(levels - 1)).await? + 1)
    }

    #[tokio::test(start_paused = true)]
    async fn functions_may_call_themselves() {
        assert_eq!(deep(100).await, Ok(101));
        assert_eq!((attempt(), deadline()), (1, None));
    }

    #[fallback(value = 0)]
    #[retry(max = 3, base = "0s", budget = "none")]
    #[circuit_breaker(name = "bare", failure_threshold = 3)]
    #[timeout("1s", name = "bare")]
    async fn bare(out: Result<u32, Failure>) -> Result<u32, Failure> {
        out
    }

    #[test]
    fn no_runtime_is_needed_where_nothing_waits() {
        for (given, expected) in [(Ok(1), 1), (Err(DOWN), 0), (Ok(1), 0)] {
            let mut call = pin!(bare(given));
            let answer = std::iter::repeat_with(|| poll(call.as_mut())).find(Poll::is_ready);
            assert_eq!(answer, Some(Poll::Ready(Ok(expected))));
        }
    }

    /// Ready at first, and then gone.
    struct Once(bool);

    impl Future for Once {
        type Output = Result<u32, Failure>;

        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            assert!(!std::mem::replace(&mut self.0, true), "polled after its end");
            Poll::Ready(Ok(1))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_by_hand_that_is_polled_after_its_end_does_not_poll_the_body_again() {
        let breaker = CircuitBreaker::new("again");
        let mut guarded = pin!(breaker.call(Once(false)));
        let mut retried = pin!(Retry::new().run(|| Once(false)));
        let mut bounded = pin!(Timeout::new(Duration::from_secs(1)).call(Once(false)));
        let mut late = pin!(Timeout::new(Duration::ZERO).call(pending::<Result<u32, Failure>>()));
        assert_eq!(poll(guarded.as_mut()), Poll::Ready(Ok(1)));
        assert_eq!(poll(retried.as_mut()), Poll::Ready(Ok(1)));
        assert_eq!(poll(bounded.as_mut()), Poll::Ready(Ok(1)));
        assert!(late.as_mut().await.is_err());
        for _ in 0..3 {
            assert!(poll(guarded.as_mut()).is_pending());
            assert!(poll(retried.as_mut()).is_pending());
            assert!(poll(bounded.as_mut()).is_pending());
            assert!(poll(late.as_mut()).is_pending());
        }
        breaker.force_open();
        let mut refused = pin!(breaker.call(Once(true)));
        assert!(matches!(poll(refused.as_mut()), Poll::Ready(Err(Fault::Rejected(_)))));
        assert!(poll(refused.as_mut()).is_pending(), "a refusal is no way in");
    }

    #[retry(max = 2, base = "0s", name = "elsewhere", budget = "none")]
    #[circuit_breaker(name = "elsewhere", failure_threshold = 1, success_threshold = 1, reset_timeout = "1s")]
    #[timeout("1m", name = "elsewhere")]
    async fn elsewhere(fails: bool) -> Result<(), Failure> {
        if fails { Err(DOWN) } else { pending().await }
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_dropped_on_another_thread_gives_its_place_back() {
        for _ in 0..10 {
            elsewhere(true).await.expect_err("it fails, then it is refused");
            advance(Duration::from_secs(1)).await;
            let mut probe = Box::pin(elsewhere(false));
            assert!(poll(probe.as_mut()).is_pending());
            assert!(breaker("elsewhere").acquire().is_err(), "the place is taken");
            std::thread::spawn(move || drop(probe)).join().expect("no panic");
            breaker("elsewhere").acquire().expect("the place is free").success();
            assert_eq!(breaker("elsewhere").state(), CircuitState::Closed);
        }
    }

    #[fallback(value = 0)]
    #[retry(max = 3, base = "1ms", name = "crowd", budget = "none")]
    #[circuit_breaker(
        name = "crowd",
        failure_rate = 0.5,
        window = "50ms",
        min_calls = 4,
        reset_timeout = "2ms",
        half_open_calls = 2,
        half_open_timeout = "20ms"
    )]
    #[timeout("5ms", name = "crowd")]
    async fn crowd(step: u32) -> Result<u32, Failure> {
        match step % 11 {
            0 => Err(DOWN),
            1 => pending().await,
            2 => panic!("a bug in the body"),
            3 => {
                tokio::task::yield_now().await;
                Ok(step)
            }
            _ => Ok(step),
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_crowd_of_threads_wedges_nothing() {
        let tasks: Vec<_> = (0..400).map(|number| tokio::spawn(crowd(number))).collect();
        tasks.iter().step_by(13).for_each(tokio::task::JoinHandle::abort);
        for task in tasks {
            let _ = task.await;
        }
        while breaker("crowd").state() != CircuitState::Closed {
            let _ = crowd(5).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(crowd(5).await, Ok(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_listener_that_never_listens_costs_a_bounded_backlog() {
        let mut deaf = resilient_runtime::subscribe();
        let heard = test_util::record();
        let breaker = CircuitBreaker::new("loud");
        for _ in 0..5_000 {
            breaker.force_open();
            breaker.resume();
        }
        assert_eq!(heard.words("loud").len(), 10_000);
        let missed = deaf.recv().await.expect_err("it was too slow").events;
        assert_eq!(missed, 10_000 - 1_024);
        assert!(deaf.recv().await.is_ok());
    }
}

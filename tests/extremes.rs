//! The shortest and the longest time at every setting, under clocks that stand still or jump ten years:
//! refused or taken for what it means, never a panic, never stuck.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use resilient_runtime::{
    Bulkhead, Cache, CircuitBreaker, Class, Classify, ConfigError, Fault, Hedge, LoadShed, Rate, RateLimit,
    Rejected, Retry, ShedMode, Timeout, configure,
};
use tokio::task::yield_now;
use tokio::time::advance;

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);
const NANO: Duration = Duration::from_nanos(1);
const TIMES: [Duration; 6] = [
    Duration::ZERO,
    NANO,
    Duration::from_millis(1),
    DAY,
    Duration::from_secs(DAY.as_secs() + 1),
    Duration::MAX,
];

/// What the body is to do.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Succeed,
    SucceedLater,
    Fail,
    FailLater,
    Busy(Duration),
    Hang,
}

const STEPS: [Step; 7] = [
    Step::Succeed,
    Step::SucceedLater,
    Step::Fail,
    Step::FailLater,
    Step::Busy(NANO),
    Step::Busy(Duration::MAX),
    Step::Hang,
];

#[derive(Clone, Copy, Debug, PartialEq)]
struct Busy(Duration);

impl Classify for Busy {
    fn classify(&self) -> Class {
        Class::Throttled { after: Some(self.0) }
    }
}

type Answer = Result<u32, Fault<Busy>>;
type Call = fn(Step) -> Pin<Box<dyn Future<Output = Answer>>>;

async fn work(step: Step) -> Answer {
    if let Step::SucceedLater | Step::FailLater = step {
        yield_now().await;
    }
    match step {
        Step::Succeed | Step::SucceedLater => Ok(1),
        Step::Fail | Step::FailLater => Err(Fault::Failed(Busy(Duration::ZERO))),
        Step::Busy(after) => Err(Fault::Failed(Busy(after))),
        Step::Hang => std::future::pending().await,
    }
}

/// One function for each key at its shortest and at its longest, and what to call it by.
macro_rules! extremes {
    ($($stem:ident($($key:ident($short:literal $long:literal $($other:tt)*))*))*) => {
        $(mod $stem {
            $(pub(crate) mod $key {
                #[resilient_runtime::$stem(name = $short, $key = "1ns" $($other)*)]
                pub(crate) async fn shortest(step: crate::Step) -> crate::Answer {
                    crate::work(step).await
                }

                #[resilient_runtime::$stem(name = $long, $key = "24h" $($other)*)]
                pub(crate) async fn longest(step: crate::Step) -> crate::Answer {
                    crate::work(step).await
                }
            })*
        })*

        const KEYS: &[(&str, &str)] = &[$($((stringify!($stem), stringify!($key)),)*)*];

        const CALLS: &[(&str, Call)] = &[$($(
            (concat!(stringify!($key), " shortest"), |step| Box::pin($stem::$key::shortest(step))),
            (concat!(stringify!($key), " longest"), |step| Box::pin($stem::$key::longest(step))),
        )*)*];
    };
}

extremes! {
    retry(
        base("b1" "b2", budget = "none", max_delay = "24h")
        max_delay("m1" "m2", base = "1ns", budget = "none")
        within("w1" "w2", base = "1ns", max = 2)
        max_retry_after("a1" "a2")
    )
    circuit_breaker(
        window("w1" "w2", failure_rate = 0.5, min_calls = 1)
        slow_call("s1" "s2", slow_rate = 0.5, failure_threshold = 1)
        reset_timeout("r1" "r2", failure_threshold = 1)
        max_reset_timeout("m1" "m2", failure_threshold = 1, reset_timeout = "1ns", reset_factor = 1e300)
        half_open_timeout("h1" "h2", failure_threshold = 1, reset_timeout = "1ns")
        ramp("p1" "p2", failure_threshold = 1, reset_timeout = "1ns")
    )
    hedge(
        after("e1" "e2", max = 3, budget = "none")
    )
    bulkhead(
        max_wait("x1" "x2", max_concurrent = 1)
    )
    cache(
        ttl("t1" "t2", key = ())
        stale_if_error("e1" "e2", ttl = "1ns", key = ())
        stale_while_revalidate("v1" "v2", ttl = "1ns", key = ())
    )
    fallback(
        max_age("g1" "g2", cached, key = ())
    )
    load_shed(
        queue_time("q1" "q2", initial_limit = 1, min_limit = 1)
        window("l1" "l2", initial_limit = 1, min_limit = 1)
    )
    rate_limit(
        max_wait("y1" "y2", rate = "1/ms", burst = 1)
    )
}

mod timeouts {
    #[resilient_runtime::timeout("1ns")]
    pub(crate) async fn shortest(step: crate::Step) -> crate::Answer {
        crate::work(step).await
    }

    #[resilient_runtime::timeout("24h")]
    pub(crate) async fn longest(step: crate::Step) -> crate::Answer {
        crate::work(step).await
    }

    #[resilient_runtime::retry(max = 2, name = "installed")]
    #[resilient_runtime::circuit_breaker(name = "installed")]
    #[resilient_runtime::hedge(name = "installed")]
    #[resilient_runtime::rate_limit(name = "installed", rate = "1/ms", burst = 1)]
    #[resilient_runtime::timeout("1s", name = "installed")]
    #[resilient_runtime::load_shed(name = "installed")]
    #[resilient_runtime::bulkhead(name = "installed", max_concurrent = 1)]
    pub(crate) async fn installed(step: crate::Step) -> crate::Answer {
        crate::work(step).await
    }
}

#[resilient_runtime::fallback(cached, name = "installed", key = ())]
#[resilient_runtime::cache(ttl = "1s", name = "installed", key = ())]
async fn cached(step: Step) -> Answer {
    work(step).await
}

/// Polls a few times while no time passes, then drops the call.
fn poll(call: impl Future<Output = Answer>) -> Option<Answer> {
    let mut call = pin!(call);
    let mut cx = Context::from_waker(Waker::noop());
    (0..3).find_map(|_| match call.as_mut().poll(&mut cx) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    })
}

/// Calls of each kind while the clock stands still, creeps and jumps; every other one is given up.
async fn drive<F: Future<Output = Answer>>(call: &impl Fn(Step) -> F) {
    for passes in [Duration::ZERO, NANO, Duration::from_secs(1), TEN_YEARS] {
        for step in STEPS {
            poll(call(step));
            advance(passes).await;
            let mut whole = pin!(call(step));
            if poll(whole.as_mut()).is_none() && step != Step::Hang {
                advance(passes).await;
                poll(whole.as_mut());
            }
        }
    }
}

/// Time enough for the longest open time, the longest lease and the longest ramp.
async fn heals<F: Future<Output = Answer>>(shown: &str, call: &impl Fn(Step) -> F) {
    let mut last = None;
    for _ in 0..6 {
        advance(DAY).await;
        last = poll(call(Step::Succeed));
    }
    assert_eq!(last, Some(Ok(1)), "{shown}: stuck");
}

/// Each case has a clock and policies of its own.
fn alone(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("no timer is needed").block_on(case);
}

#[test]
fn an_attribute_may_say_the_shortest_and_the_longest_time() {
    for (shown, call) in CALLS {
        alone(async {
            drive(call).await;
            heals(shown, call).await;
        });
    }
    let timeouts: [Call; 2] =
        [|step| Box::pin(timeouts::shortest(step)), |step| Box::pin(timeouts::longest(step))];
    for call in timeouts {
        alone(async {
            drive(&call).await;
            heals("timeout", &call).await;
        });
    }
}

fn retry_with(key: &str, retry: Retry, time: Duration) -> Retry {
    match key {
        "base" => retry.base(time).max_delay(DAY),
        "max_delay" => retry.base(Duration::ZERO).max_delay(time),
        "within" => retry.within(time),
        "max_retry_after" => retry.max_retry_after(time),
        other => panic!("{other}"),
    }
}

fn breaker_with(key: &str, breaker: CircuitBreaker, time: Duration) -> CircuitBreaker {
    match key {
        "window" => breaker.failure_rate(0.5).min_calls(1).window(time),
        "slow_call" => breaker.slow_call(time),
        "reset_timeout" => breaker.failure_threshold(1).reset_timeout(time),
        "max_reset_timeout" => {
            breaker.failure_threshold(1).reset_timeout(NANO).reset_factor(1e300).max_reset_timeout(time)
        }
        "half_open_timeout" => breaker.failure_threshold(1).half_open_timeout(time),
        "ramp" => breaker.failure_threshold(1).ramp(time),
        other => panic!("{other}"),
    }
}

fn cache_with(key: &str, cache: Cache, time: Duration) -> Cache {
    match key {
        "ttl" => cache.ttl(time),
        "stale_if_error" => cache.ttl(NANO).stale_if_error(time),
        "stale_while_revalidate" => cache.ttl(NANO).stale_while_revalidate(time),
        other => panic!("{other}"),
    }
}

fn shed_with(key: &str, shed: LoadShed, time: Duration) -> LoadShed {
    let shed = shed.initial_limit(1).min_limit(1);
    match key {
        "queue_time" => shed.queue_time(time),
        "window" => shed.window(time),
        "throttled" => shed.mode(ShedMode::Throttle).min_calls(1).window(time),
        other => panic!("{other}"),
    }
}

/// Installs one setting, and says whether it was refused, as it may only be by its key.
fn refused(stem: &str, key: &'static str, time: Duration) -> bool {
    let install = match stem {
        "retry" => configure().retry("installed", |retry| retry_with(key, retry, time)),
        "timeout" => configure().timeout("installed", |timeout| timeout.limit(time)),
        "hedge" => configure().hedge("installed", |hedge| hedge.after(time)),
        "rate_limit" => configure().rate_limit("installed", |limit| limit.max_wait(time)),
        "bulkhead" => configure().bulkhead("installed", |bulkhead| bulkhead.max_wait(time)),
        "fallback" => configure().fallback("installed", |fallback| fallback.max_age(time)),
        "cache" => configure().cache("installed", |cache| cache_with(key, cache, time)),
        "load_shed" => configure().load_shed("installed", |shed| shed_with(key, shed, time)),
        _ => configure().circuit_breaker("installed", |breaker| breaker_with(key, breaker, time)),
    };
    let error = install.install().err();
    assert!(
        error.iter().flat_map(ConfigError::faults).all(|fault| fault.key == Some(key)),
        "{time:?}: {error:?}"
    );
    error.is_some()
}

#[test]
fn what_is_installed_is_refused_by_its_key_or_runs() {
    for (stem, key) in KEYS.iter().chain([&("timeout", "limit")]) {
        for time in TIMES {
            alone(async {
                let may_be_zero = [
                    "after",
                    "base",
                    "max_delay",
                    "max_retry_after",
                    "max_wait",
                    "ramp",
                    "stale_if_error",
                    "stale_while_revalidate",
                ]
                .contains(key);
                let makes_sense = time <= DAY && (may_be_zero || !time.is_zero());
                assert_eq!(refused(stem, key, time), !makes_sense, "{key}: {time:?}");
                drive(&timeouts::installed).await;
                heals(key, &timeouts::installed).await;
                drive(&cached).await;
                heals(key, &cached).await;
            });
        }
    }
}

async fn by_hand(stem: &str, key: &str, time: Duration) {
    if stem == "retry" {
        let retry = retry_with(key, Retry::new().max(3).budget("none"), time);
        return drive(&|step| retry.run(move || work(step))).await;
    }
    if stem == "hedge" {
        let hedge = Hedge::new("by hand").after(time).max(3).budget("none");
        return drive(&|step| hedge.call(move || work(step))).await;
    }
    if stem == "bulkhead" {
        let bulkhead = Bulkhead::new("by hand").max_concurrent(1).max_wait(time);
        let held = bulkhead.try_acquire();
        drive(&|step| bulkhead.call(work(step))).await;
        let waits = poll(bulkhead.call(work(Step::Succeed))).is_none();
        assert_eq!(waits, !time.is_zero(), "{time:?}");
        drop(held);
        return assert_eq!(poll(bulkhead.call(work(Step::Succeed))), Some(Ok(1)));
    }
    if stem == "fallback" {
        return;
    }
    if stem == "cache" {
        let cache = cache_with(key, Cache::new("by hand"), time);
        return drive(&|step| cache.get_or("tea", move || work(step))).await;
    }
    if stem == "load_shed" {
        for key in [key, "throttled"] {
            let shed = shed_with(key, LoadShed::new("by hand"), time);
            drive(&|step| shed.call(work(step))).await;
            advance(TEN_YEARS).await;
            // A throttle that forgets nothing lets through what chance does.
            let passes = (0..1_000).any(|_| poll(shed.call(work(Step::Succeed))) == Some(Ok(1)));
            assert!(passes, "{time:?}");
        }
        return;
    }
    if stem == "rate_limit" {
        let limit = RateLimit::new("by hand").rate(Rate::new(1, DAY)).max_wait(time);
        drive(&|step| limit.call(work(step))).await;
        let waits = poll(limit.call(work(Step::Succeed))).is_none();
        assert_eq!(waits, time >= DAY, "{time:?}");
        advance(DAY).await;
        return assert_eq!(poll(limit.call(work(Step::Succeed))), Some(Ok(1)));
    }
    let breaker = breaker_with(key, CircuitBreaker::new("by hand"), time);
    drive(&|step| breaker.call(work(step))).await;
    breaker.reset();
    assert_eq!(poll(breaker.call(work(Step::Succeed))), Some(Ok(1)));
}

#[test]
fn whoever_writes_it_by_hand_gets_the_nearest_time_that_makes_sense() {
    for (stem, key) in KEYS {
        for time in TIMES {
            alone(by_hand(stem, key, time));
        }
    }
    for time in TIMES {
        alone(async {
            let timeout = Timeout::new(time);
            drive(&|step| timeout.call(work(step))).await;
            if time != Duration::MAX {
                let ends = timeout.call(work(Step::Hang)).await;
                assert!(matches!(ends, Err(Fault::Rejected(Rejected::TimedOut { .. }))), "{ends:?}");
            }
        });
    }
}

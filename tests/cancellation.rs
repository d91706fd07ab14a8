//! Every policy and every stack of two, dropped after every number of polls and panicking at every
//! await: each call is counted once, nothing is held after, and nothing leaks.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use resilient_runtime::{
    CircuitState, Class, Classify, Fault, Jitter, Rate, Snapshot, attempt, bulkhead, cache, circuit_breaker,
    coalesce, configure, deadline, fallback, hedge, load_shed, rate_limit, registry, resilient, retry,
    timeout,
};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

/// Times a body gives up its turn before it ends.
const AWAITS: u32 = 3;
/// Passes before each poll but the first.
const STEP: Duration = Duration::from_millis(1);
const AFTER: Duration = Duration::from_millis(2);
const LIMIT: Duration = Duration::from_millis(10);
const TOTAL: Duration = Duration::from_millis(15);
/// Longer than a breaker stays open, and enough to earn what a call may add.
const REST: Duration = Duration::from_millis(500);
/// More polls than any call takes that can end.
const MOST_POLLS: u32 = 60;

/// An error that is of whatever class it says.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Told(Class);

impl Classify for Told {
    fn classify(&self) -> Class {
        self.0
    }
}

type Answer = Result<u32, Fault<Told>>;

const DOWN: Fault<Told> = Fault::Failed(Told(Class::Transient));

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Answer(Result<u32, Class>),
    Hang,
    /// In this part of the call, at this await; what comes before fails.
    Panic(Part, u32),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Attempt(u32),
    Fallback,
}

thread_local! {
    static STARTED: Cell<u64> = const { Cell::new(0) };
}

async fn part(part: Part, end: End, answer: Answer) -> Answer {
    for n in 0..AWAITS {
        if end == End::Panic(part, n) {
            resume_unwind(Box::new(n));
        }
        yield_now().await;
    }
    answer
}

async fn work(end: End) -> Answer {
    STARTED.set(STARTED.get() + 1);
    let part = part(Part::Attempt(attempt()), end, Err(DOWN));
    match end {
        End::Answer(answer) => part.await.or(answer.map_err(|class| Fault::Failed(Told(class)))),
        End::Hang => part.await.or(pending().await),
        End::Panic(..) => part.await,
    }
}

async fn plan_b(end: End) -> Answer {
    part(Part::Fallback, end, Ok(0)).await
}

struct Stack {
    /// The names of its policies, outermost first.
    layers: &'static [&'static str],
    call: fn(End) -> Pin<Box<dyn Future<Output = Answer>>>,
}

/// Guards `work` by each of the policies, and by each two of them in both orders.
macro_rules! stacks {
    ($stacks:ident) => {};
    // Attempts side by side stand below some, and in any order with the rest.
    (
        $stacks:ident,
        $one:literal = #$a:tt below ($($above:literal = #$b:tt),*)
        $(, $other:literal = #$c:tt)*
    ) => {
        stacks!(@push $stacks, [$one], #$a);
        $(stacks!(@push $stacks, [$above, $one], #$b #$a);)*
        $(
            stacks!(@push $stacks, [$one, $other], #$a #$c);
            stacks!(@push $stacks, [$other, $one], #$c #$a);
        )*
        stacks!($stacks $(, $above = #$b)* $(, $other = #$c)*);
    };
    ($stacks:ident, $one:literal = #$a:tt $(, $other:literal = #$b:tt)*) => {
        stacks!(@push $stacks, [$one], #$a);
        $(
            stacks!(@push $stacks, [$one, $other], #$a #$b);
            stacks!(@push $stacks, [$other, $one], #$b #$a);
        )*
        stacks!($stacks $(, $other = #$b)*);
    };
    (@push $stacks:ident, $layers:expr, $(#$attribute:tt)*) => {{
        $(#$attribute)*
        async fn guarded(end: End) -> Answer {
            work(end).await
        }
        $stacks.push(Stack { layers: &$layers, call: |end| Box::pin(guarded(end)) });
    }};
}

fn stacks() -> Vec<Stack> {
    let mut stacks = Vec::new();
    stacks!(
        stacks,
        "hedge" = #[hedge(name = "hedge", after = AFTER, max = 2)] below (
            "retry" = #[retry(name = "retry", max = 2, base = "2ms", jitter = "none", max_delay = "10ms")],
            "coalesce" = #[coalesce(name = "coalesce", key = ())]
        ),
        "breaker" = #[circuit_breaker(
            name = "breaker",
            failure_threshold = 2,
            success_threshold = 1,
            reset_timeout = "100ms",
            half_open_timeout = "1h"
        )],
        "keyed" = #[circuit_breaker(
            name = "keyed",
            key = "acme",
            failure_rate = 1.0,
            min_calls = 2,
            window = "10s",
            success_threshold = 1,
            reset_timeout = "100ms",
            half_open_timeout = "1h"
        )],
        "bulkhead" = #[bulkhead(name = "bulkhead", max_concurrent = 1, max_wait = "1h")],
        "cache" = #[cache(name = "cache", ttl = "1ms", stale_while_revalidate = "1ms", key = ())],
        "load_shed" = #[load_shed(name = "load_shed", initial_limit = 1, critical_at = 1.0)],
        "throttle" = #[load_shed(name = "throttle", mode = "throttle", min_calls = 1_000_000)],
        "limit" = #[rate_limit(name = "limit", rate = "1/2ms", max_wait = "1h")],
        "limits" = #[rate_limit(name = "limits", rate = "1/2ms", max_wait = "1h", key = "acme")],
        "timeout" = #[timeout(LIMIT, name = "timeout")],
        "fallback" = #[fallback(name = "fallback", fn = plan_b, when = |error: &Fault<Told>| *error == DOWN)]
    );
    // A function has one fallback, so this one meets the others but for that.
    stacks!(
        stacks,
        "last" = #[fallback(
            cached,
            name = "last",
            max_age = "1ms",
            key = (),
            when = |error: &Fault<Told>| *error == DOWN
        )],
        "retry" = #[retry(name = "retry", max = 2, base = "2ms", jitter = "none", max_delay = "10ms")],
        "bulkhead" = #[bulkhead(name = "bulkhead", max_concurrent = 1, max_wait = "1h")],
        "timeout" = #[timeout(LIMIT, name = "timeout")]
    );
    // The other way round no configuration would be taken.
    stacks!(
        @push stacks,
        ["total", "timeout"],
        #[timeout(TOTAL, name = "total")]
        #[timeout(LIMIT, name = "timeout")]
    );
    stacks!(@push stacks, COMPOSED, #[resilient("composed")]);
    stacks!(
        @push stacks,
        ["total", COMPOSED[0], COMPOSED[1], COMPOSED[2], COMPOSED[3], COMPOSED[4]],
        #[timeout(TOTAL, name = "total")]
        #[resilient("composed")]
    );
    stacks
}

/// The policies of one stack, which have its name in common.
const COMPOSED: [&str; 5] = [
    "retry/composed",
    "circuit_breaker/composed",
    "rate_limit/composed",
    "timeout/composed",
    "bulkhead/composed",
];

/// What the attributes say of the others.
fn compose() {
    configure()
        .retry("composed", |it| it.max(2).base(AFTER).jitter(Jitter::None).max_delay(LIMIT))
        .circuit_breaker("composed", |it| {
            it.failure_threshold(2)
                .success_threshold(1)
                .reset_timeout(Duration::from_millis(100))
                .half_open_timeout(Duration::from_secs(3_600))
        })
        .rate_limit("composed", |it| it.rate(Rate::new(1, AFTER)).max_wait(Duration::from_secs(3_600)))
        .timeout("composed", |it| it.limit(LIMIT))
        .bulkhead("composed", |it| it.max_concurrent(1).max_wait(Duration::from_secs(3_600)))
        .install()
        .unwrap();
}

fn ends() -> Vec<End> {
    let parts = [Part::Attempt(1), Part::Attempt(2), Part::Fallback];
    let panics = parts.into_iter().flat_map(|part| (0..AWAITS).map(move |n| End::Panic(part, n)));
    let answers = [Ok(1), Err(Class::Transient), Err(Class::Permanent), Err(Class::Ignored)].map(End::Answer);
    answers.into_iter().chain([End::Hang]).chain(panics).collect()
}

/// A clock that moves by hand, outside of any task: nothing else polls, and nothing is rationed.
struct Rig(Runtime);

impl Rig {
    fn new() -> Self {
        let rig = Self(Builder::new_current_thread().enable_time().start_paused(true).build().unwrap());
        let _entered = rig.0.enter();
        compose();
        rig
    }

    fn wait(&self, time: Duration) {
        self.0.block_on(tokio::time::advance(time));
    }

    /// Polls a call at most `polls` times, then drops it. True if it came to an end before.
    fn run(&self, stack: &Stack, end: End, polls: u32) -> (bool, Option<Answer>) {
        let _entered = self.0.enter();
        let mut call = (stack.call)(end);
        let mut cx = Context::from_waker(Waker::noop());
        for n in 0..polls {
            if n > 0 {
                self.wait(STEP);
            }
            match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(&mut cx))) {
                Ok(Poll::Ready(answer)) => return (true, Some(answer)),
                Ok(Poll::Pending) => {}
                Err(_) => return (true, None),
            }
        }
        (false, None)
    }

    /// Calls that make the breakers open, and the time until they try again.
    fn open(&self, stack: &Stack) {
        for _ in 0..2 {
            self.run(stack, End::Answer(Err(Class::Transient)), MOST_POLLS);
        }
        self.wait(REST);
    }
}

/// Calls that a policy has seen the end of, and calls of the layer below that it has made.
fn counted(layer: &str) -> (u64, u64) {
    match snapshot(layer) {
        Snapshot::Retry(s) => (s.attempts() - s.retries, s.attempts()),
        Snapshot::CircuitBreaker(s) => {
            let passed = s.succeeded + s.failed + s.ignored + s.abandoned + s.panicked;
            (passed + s.rejected, passed)
        }
        Snapshot::Timeout(s) => {
            let ended = s.succeeded + s.failed + s.timed_out + s.abandoned + s.panicked;
            (ended, ended)
        }
        Snapshot::Hedge(s) => {
            let ended = s.first + s.hedged + s.failed + s.abandoned + s.panicked;
            (ended, ended + s.hedges)
        }
        Snapshot::Bulkhead(s) => (s.admitted + s.rejected + s.abandoned, s.admitted),
        Snapshot::Cache(s) => (s.hits + s.stale_while_revalidated + s.misses, s.misses),
        Snapshot::Coalesce(s) => (s.flights, s.flights),
        Snapshot::LoadShed(s) => (s.admitted.total() + s.rejected.total(), s.admitted.total()),
        Snapshot::RateLimit(s) => (s.admitted + s.rejected + s.abandoned, s.admitted),
        other => panic!("{other:?}"),
    }
}

fn snapshot(layer: &str) -> Snapshot {
    let mut snapshots = registry().snapshots().into_iter();
    let is = |snapshot: &Snapshot| match layer.split_once('/') {
        Some(both) => both == (snapshot.stem(), snapshot.name()),
        None => snapshot.name() == layer,
    };
    snapshots.find(is).expect("a function uses it")
}

/// What the layers and the body counted, from the outermost in.
fn counts(stack: &Stack) -> Vec<(u64, u64)> {
    let layers =
        stack.layers.iter().filter(|layer| !["fallback", "last"].contains(layer)).map(|layer| counted(layer));
    layers.chain([(STARTED.get(), 0)]).collect()
}

/// Each call that a layer let through was counted once by the next one.
fn conserved(before: &[(u64, u64)], after: &[(u64, u64)], polls: u32) {
    let mut made = u64::from(polls > 0);
    for (before, after) in before.iter().zip(after) {
        assert_eq!(after.0 - before.0, made, "calls ended, of those begun");
        made = after.1 - before.1;
    }
}

fn nothing_is_held(stack: &Stack) {
    assert_eq!((attempt(), deadline()), (1, None), "the frame is gone");
    for layer in stack.layers {
        match snapshot(layer) {
            Snapshot::CircuitBreaker(s) if s.state == CircuitState::HalfOpen => {
                assert_eq!(s.retry_after, None, "a place is taken");
            }
            Snapshot::Bulkhead(s) => assert_eq!((s.running, s.waiting), (0, 0), "a place is taken"),
            Snapshot::Coalesce(s) => assert_eq!((s.in_flight, s.waiting), (0, 0), "a flight is under way"),
            Snapshot::LoadShed(s) => assert_eq!(s.running, 0, "a place is taken"),
            Snapshot::RateLimit(s) => assert_eq!((s.available, s.waiting), (1, 0), "a turn is taken"),
            Snapshot::Retry(s) => assert!(s.budget_left.is_none_or(|left| left == 110), "{s:?}"),
            _ => {}
        }
    }
}

fn can_end(stack: &Stack, end: End) -> bool {
    end != End::Hang || stack.layers.iter().any(|layer| ["timeout", "total", COMPOSED[3]].contains(layer))
}

/// Drops one call after so many polls; true if it had come to an end before.
fn drop_after(rig: &Rig, stack: &Stack, (end, polls): (End, u32), recovering: bool) -> bool {
    let _entered = rig.0.enter();
    registry().reset_all();
    if recovering {
        rig.open(stack);
    }
    let before = counts(stack);
    let (ended, _) = rig.run(stack, end, polls);
    conserved(&before, &counts(stack), polls);
    rig.wait(REST);
    nothing_is_held(stack);
    for _ in 0..3 {
        let answer = rig.run(stack, End::Answer(Ok(1)), MOST_POLLS);
        assert_eq!(answer, (true, Some(Ok(1))), "the next call passes");
    }
    ended
}

fn sweep(recovering: bool) {
    let rig = Rig::new();
    for stack in stacks() {
        for end in ends() {
            let shown = format!("{:?}, {end:?}", stack.layers);
            let most = if can_end(&stack, end) { MOST_POLLS } else { 2 * AWAITS };
            let ended = (0..=most).find(|&polls| {
                let dropped = AssertUnwindSafe(|| drop_after(&rig, &stack, (end, polls), recovering));
                catch_unwind(dropped).unwrap_or_else(|_| panic!("{shown}, dropped after {polls} polls"))
            });
            assert_eq!(ended.is_some(), can_end(&stack, end), "{shown}");
        }
    }
}

#[test]
fn a_call_that_is_dropped_or_panics_at_any_await_is_counted_once_and_holds_nothing() {
    sweep(false);
}

#[test]
fn a_probe_that_is_dropped_or_panics_at_any_await_is_counted_once_and_holds_nothing() {
    sweep(true);
}

#[test]
fn a_hundred_thousand_calls_that_end_early_leave_nothing_behind() {
    let rig = Rig::new();
    let _entered = rig.0.enter();
    // What moka gives up it frees in arrears, here also what other threads left it; `tests/cache.rs` counts
    // what it keeps.
    let stacks: Vec<_> = stacks()
        .into_iter()
        .filter(|stack| !stack.layers.iter().any(|layer| ["cache", "last"].contains(layer)))
        .collect();
    let ends = ends();
    let mut calls = 0_u32;
    let mut round = || {
        for (stack, end) in stacks.iter().flat_map(|stack| ends.iter().map(move |end| (stack, *end))) {
            calls += 1;
            rig.run(stack, end, calls % 8 + 1);
        }
        registry().reset_all();
    };
    // What has an event a round remembers its last hundred by then.
    (0..120).for_each(|_| round());
    let held = measure(|| (0..250).for_each(|_| round())).bytes_current;
    assert!(held <= 0, "{held} bytes held");
    assert!(calls > 100_000, "{calls}");
}

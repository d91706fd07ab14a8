//! Names, units and labels of all figures, and where each is read.

use std::time::Duration;

use super::{Kind, Sample, Unit, Value};
use crate::policy::{ByPriority, CircuitBreakerSnapshot, CircuitCause, CircuitState, Snapshot};

/// One family, and how a policy fills it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: Kind,
    pub(super) unit: Unit,
    fill: fn(&Snapshot, &mut Samples),
}

impl Row {
    /// Kind of the policies that fill it.
    #[cfg(feature = "otel")]
    pub(super) fn stem(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }

    pub(super) fn read(&self, snapshots: &[Snapshot]) -> Vec<Sample> {
        let mut samples = Samples { policy: "", all: Vec::new() };
        for snapshot in snapshots {
            samples.policy = snapshot.name();
            (self.fill)(snapshot, &mut samples);
        }
        samples.all
    }

    const fn seconds(self) -> Self {
        Self { unit: Unit::Seconds, ..self }
    }

    const fn ratio(self) -> Self {
        Self { unit: Unit::Ratio, ..self }
    }
}

const fn counter(name: &'static str, help: &'static str, fill: fn(&Snapshot, &mut Samples)) -> Row {
    Row { name, help, kind: Kind::Counter, unit: Unit::Count, fill }
}

const fn gauge(name: &'static str, help: &'static str, fill: fn(&Snapshot, &mut Samples)) -> Row {
    Row { name, help, kind: Kind::Gauge, unit: Unit::Count, fill }
}

pub(super) struct Samples {
    policy: &'static str,
    all: Vec<Sample>,
}

impl Samples {
    fn put(&mut self, value: impl Into<Value>) {
        self.put_as(&[], value);
    }

    fn put_as(&mut self, labels: &[(&'static str, &'static str)], value: impl Into<Value>) {
        let labels = [&[("name", self.policy)], labels].concat();
        self.all.push(Sample { labels, value: value.into() });
    }

    fn put_each<const N: usize>(&mut self, label: &'static str, values: [(&'static str, u64); N]) {
        for (word, value) in values {
            self.put_as(&[(label, word)], value);
        }
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Whole(value.into())
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Whole(value as u64)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Whole(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<Duration> for Value {
    fn from(value: Duration) -> Self {
        Self::Real(value.as_secs_f64())
    }
}

/// Reads the snapshots of one kind of policy.
macro_rules! of {
    ($kind:ident, |$snapshot:ident, $out:ident| $fill:expr) => {
        |snapshot, $out| {
            if let Snapshot::$kind($snapshot) = snapshot {
                $fill;
            }
        }
    };
}

/// Every family there is.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().copied().flatten()
}

static ROWS: &[&[Row]] = &[
    BUDGET,
    BULKHEAD,
    #[cfg(feature = "cache")]
    CACHE,
    CIRCUIT_BREAKER,
    COALESCE,
    FALLBACK,
    HEDGE,
    LOAD_SHED,
    RATE_LIMIT,
    RETRY,
    TIMEOUT,
];

const BUDGET: &[Row] = &[
    counter(
        "budget.requests",
        "Retries and hedges that asked the budget.",
        of!(Budget, |s, out| out.put_each("outcome", [("paid", s.spent), ("refused", s.refused)])),
    ),
    gauge(
        "budget.available",
        "Retries in a row that the budget would pay for.",
        of!(Budget, |s, out| out.put(s.left)),
    ),
    gauge(
        "budget.capacity",
        "Retries that calls can have earned at most.",
        of!(Budget, |s, out| out.put(s.capacity)),
    ),
];

const BULKHEAD: &[Row] = &[
    gauge("bulkhead.in_flight", "Calls that run.", of!(Bulkhead, |s, out| out.put(s.running))),
    gauge("bulkhead.limit", "Calls that may run at once.", of!(Bulkhead, |s, out| out.put(s.max_concurrent))),
    gauge("bulkhead.queued", "Calls that wait for a place.", of!(Bulkhead, |s, out| out.put(s.waiting))),
    counter("bulkhead.admitted", "Calls that got a place.", of!(Bulkhead, |s, out| out.put(s.admitted))),
    counter(
        "bulkhead.waited",
        "Calls that got a place and had to wait for it.",
        of!(Bulkhead, |s, out| out.put(s.waited)),
    ),
    counter("bulkhead.rejected", "Calls that were refused.", of!(Bulkhead, |s, out| out.put(s.rejected))),
    counter(
        "bulkhead.would_reject",
        "Calls that passed only because the bulkhead observes.",
        of!(Bulkhead, |s, out| out.put(s.would_reject)),
    ),
    counter(
        "bulkhead.would_wait",
        "Calls that waited for no place only because the bulkhead observes.",
        of!(Bulkhead, |s, out| out.put(s.would_wait)),
    ),
    counter(
        "bulkhead.abandoned",
        "Calls that were dropped while they waited.",
        of!(Bulkhead, |s, out| out.put(s.abandoned)),
    ),
];

#[cfg(feature = "cache")]
const CACHE: &[Row] = &[
    counter(
        "cache.requests",
        "Calls, by what answered them.",
        of!(Cache, |s, out| out
            .put_each("result", [("hit", s.hits), ("miss", s.misses), ("stale", s.stale_while_revalidated)])),
    ),
    counter(
        "cache.stale_on_error",
        "Misses that failed and were answered with a stale value.",
        of!(Cache, |s, out| out.put(s.stale_on_error)),
    ),
    counter("cache.stored", "Values that were kept.", of!(Cache, |s, out| out.put(s.stored))),
    counter(
        "cache.refreshed",
        "Values that were renewed while others got the stale one.",
        of!(Cache, |s, out| out.put(s.refreshed)),
    ),
    counter(
        "cache.evicted",
        "Values that had to make room for others.",
        of!(Cache, |s, out| out.put(s.evicted)),
    ),
    gauge("cache.entries", "Values that are kept.", of!(Cache, |s, out| out.put(s.entries))),
];

/// Changes that any breaker may make by itself, which are told from the first reading on.
const EXPECTED: [(CircuitState, CircuitState, CircuitCause); 6] = [
    (CircuitState::Closed, CircuitState::Open, CircuitCause::FailureThreshold),
    (CircuitState::Closed, CircuitState::Open, CircuitCause::FailureRate),
    (CircuitState::Closed, CircuitState::Open, CircuitCause::SlowRate),
    (CircuitState::Open, CircuitState::HalfOpen, CircuitCause::OpenTimeElapsed),
    (CircuitState::HalfOpen, CircuitState::Closed, CircuitCause::ProbesSucceeded),
    (CircuitState::HalfOpen, CircuitState::Open, CircuitCause::ProbeFailed),
];

fn transitions(breaker: &CircuitBreakerSnapshot, out: &mut Samples) {
    let happened = breaker.changes.iter().map(|it| ((it.from, it.to, it.cause), it.times));
    let happened: Vec<_> = happened.collect();
    let not = EXPECTED.iter().filter(|change| happened.iter().all(|(known, _)| known != *change));
    for ((from, to, cause), times) in not.map(|change| (*change, 0)).chain(happened.iter().copied()) {
        out.put_as(&[("from", from.as_str()), ("to", to.as_str()), ("cause", cause.as_str())], times);
    }
}

const CIRCUIT_BREAKER: &[Row] = &[
    gauge(
        "circuit_breaker.state",
        "1 for the state that the breaker is in, 0 for the others.",
        of!(CircuitBreaker, |s, out| for state in CircuitState::ALL {
            out.put_as(&[("state", state.as_str())], s.state == state);
        }),
    ),
    counter(
        "circuit_breaker.calls",
        "Calls, by what became of them.",
        of!(CircuitBreaker, |s, out| out.put_each(
            "outcome",
            [
                ("succeeded", s.succeeded),
                ("failed", s.failed),
                ("ignored", s.ignored),
                ("abandoned", s.abandoned),
                ("panicked", s.panicked),
                ("rejected", s.rejected),
            ]
        )),
    ),
    counter(
        "circuit_breaker.would_reject",
        "Calls that passed only because the breaker observes.",
        of!(CircuitBreaker, |s, out| out.put(s.would_reject)),
    ),
    counter(
        "circuit_breaker.slow_calls",
        "Calls that took longer than the breaker's limit.",
        of!(CircuitBreaker, |s, out| out.put(s.slow)),
    ),
    gauge(
        "circuit_breaker.failure_ratio",
        "Share of failures in the window.",
        of!(CircuitBreaker, |s, out| if let Some(rate) = s.failure_rate {
            out.put(rate);
        }),
    )
    .ratio(),
    gauge(
        "circuit_breaker.slow_ratio",
        "Share of slow calls in the window.",
        of!(CircuitBreaker, |s, out| if let Some(rate) = s.slow_rate {
            out.put(rate);
        }),
    )
    .ratio(),
    counter(
        "circuit_breaker.state",
        "Time that the breaker was in each state.",
        of!(CircuitBreaker, |s, out| for (state, time) in &s.time_in {
            out.put_as(&[("state", state.as_str())], *time);
        }),
    )
    .seconds(),
    counter(
        "circuit_breaker.transitions",
        "Changes of state, those of all keys together.",
        of!(CircuitBreaker, |s, out| transitions(s, out)),
    ),
    gauge(
        "circuit_breaker.window_calls",
        "Calls in the window, by what became of them.",
        of!(
            CircuitBreaker,
            |s, out| if let (Some(calls), Some(failed)) = (s.window_calls, s.window_failed) {
                out.put_each("outcome", [("succeeded", calls.saturating_sub(failed)), ("failed", failed)]);
            }
        ),
    ),
    gauge(
        "circuit_breaker.keys",
        "Keys that have a breaker of their own, by the state it is in.",
        of!(CircuitBreaker, |s, out| for state in CircuitState::ALL {
            let keys: usize = s.keys_in.iter().filter(|it| it.0 == state).map(|it| it.1).sum();
            out.put_as(&[("state", state.as_str())], keys);
        }),
    ),
];

const COALESCE: &[Row] = &[
    counter(
        "coalesce.calls",
        "Calls, by their part in a flight.",
        of!(Coalesce, |s, out| out
            .put_each("role", [("leader", s.flights), ("follower", s.joined), ("alone", s.alone)])),
    ),
    counter(
        "coalesce.handed_over",
        "Flights whose leader went and left them to another.",
        of!(Coalesce, |s, out| out.put(s.handed_over)),
    ),
    counter(
        "coalesce.timed_out",
        "Calls whose deadline passed while they waited.",
        of!(Coalesce, |s, out| out.put(s.timed_out)),
    ),
    gauge("coalesce.in_flight", "Flights under way.", of!(Coalesce, |s, out| out.put(s.in_flight))),
    gauge("coalesce.queued", "Calls that wait for a flight.", of!(Coalesce, |s, out| out.put(s.waiting))),
];

const FALLBACK: &[Row] = &[
    counter(
        "fallback",
        "Failed calls, by what the fallback did.",
        of!(Fallback, |s, out| out
            .put_each("outcome", [("served", s.served), ("failed", s.failed), ("passed_on", s.passed_on)])),
    ),
    gauge("fallback.entries", "Good values that are kept.", of!(Fallback, |s, out| out.put(s.entries))),
];

const HEDGE: &[Row] = &[
    counter(
        "hedge.launched",
        "Attempts beyond the first of each call.",
        of!(Hedge, |s, out| out.put(s.hedges)),
    ),
    counter(
        "hedge.won",
        "Calls that were answered, by the attempt that did.",
        of!(Hedge, |s, out| out.put_each("winner", [("first", s.first), ("hedge", s.hedged)])),
    ),
    counter(
        "hedge.lost",
        "Calls that no attempt answered.",
        of!(Hedge, |s, out| out.put_each(
            "outcome",
            [("failed", s.failed), ("abandoned", s.abandoned), ("panicked", s.panicked)]
        )),
    ),
    counter(
        "hedge.withheld",
        "Further attempts that were due and did not start.",
        of!(Hedge, |s, out| out.put_each("reason", [("budget", s.budget), ("deadline", s.deadline)])),
    ),
    counter(
        "hedge.dropped",
        "Attempts dropped because another one had the answer.",
        of!(Hedge, |s, out| out.put(s.dropped)),
    ),
    gauge(
        "hedge.after",
        "Time after which an attempt is slow.",
        of!(Hedge, |s, out| if let Some(after) = s.after {
            out.put(after);
        }),
    )
    .seconds(),
];

const fn by_priority(calls: ByPriority) -> [(&'static str, u64); 4] {
    let ByPriority { critical, important, normal, optional } = calls;
    [("critical", critical), ("important", important), ("normal", normal), ("optional", optional)]
}

const LOAD_SHED: &[Row] = &[
    counter(
        "load_shed.admitted",
        "Calls that were admitted, by importance.",
        of!(LoadShed, |s, out| out.put_each("priority", by_priority(s.admitted))),
    ),
    counter(
        "load_shed.rejected",
        "Calls that were refused, by importance.",
        of!(LoadShed, |s, out| out.put_each("priority", by_priority(s.rejected))),
    ),
    counter(
        "load_shed.would_reject",
        "Calls that passed only because the load shedder observes, by importance.",
        of!(LoadShed, |s, out| out.put_each("priority", by_priority(s.would_reject))),
    ),
    gauge("load_shed.limit", "Calls that may be under way.", of!(LoadShed, |s, out| out.put(s.limit))),
    gauge("load_shed.in_flight", "Calls under way.", of!(LoadShed, |s, out| out.put(s.running))),
    gauge(
        "load_shed.overloaded",
        "1 while calls are refused, 0 otherwise.",
        of!(LoadShed, |s, out| out.put(s.overloaded)),
    ),
    gauge(
        "load_shed.refused_ratio",
        "Share of all calls that is refused when throttling.",
        of!(LoadShed, |s, out| out.put(s.share)),
    )
    .ratio(),
    gauge(
        "load_shed.queue_time",
        "How much longer calls took last than a call alone.",
        of!(LoadShed, |s, out| out.put(s.queue_time)),
    )
    .seconds(),
];

const RATE_LIMIT: &[Row] = &[
    counter(
        "rate_limit.decisions",
        "Calls, by what was decided.",
        of!(RateLimit, |s, out| {
            let allowed = s.admitted.saturating_sub(s.waited).saturating_sub(s.would_reject);
            let decisions = [
                ("allowed", allowed),
                ("delayed", s.waited),
                ("rejected", s.rejected),
                ("would_reject", s.would_reject),
                ("abandoned", s.abandoned),
            ];
            for (decision, calls) in decisions {
                out.put_as(&[("decision", decision), ("scope", "process")], calls);
            }
        }),
    ),
    gauge(
        "rate_limit.available",
        "Permits that are there; of a limit with keys, nobody's.",
        of!(RateLimit, |s, out| out.put(s.available)),
    ),
    gauge("rate_limit.burst", "Permits that gather at most.", of!(RateLimit, |s, out| out.put(s.burst))),
    gauge("rate_limit.queued", "Calls that wait for a permit.", of!(RateLimit, |s, out| out.put(s.waiting))),
    gauge(
        "rate_limit.keys",
        "Keys that have permits of their own.",
        of!(RateLimit, |s, out| out.put(s.keys)),
    ),
];

const RETRY: &[Row] = &[
    counter(
        "retry.calls",
        "Calls, by how they ended.",
        of!(Retry, |s, out| out.put_each(
            "outcome",
            [
                ("first_try", s.first_try),
                ("after_retry", s.after_retry),
                ("exhausted", s.exhausted),
                ("not_retryable", s.not_retryable),
                ("deadline", s.deadline),
                ("budget", s.budget),
                ("retry_after", s.retry_after),
                ("once", s.once),
                ("abandoned", s.abandoned),
                ("panicked", s.panicked),
            ]
        )),
    ),
    counter(
        "retry.attempts",
        "Attempts, the first counted when its call is over.",
        of!(Retry, |s, out| out.put(s.attempts())),
    ),
    counter(
        "retry.retries",
        "Attempts beyond the first of each call.",
        of!(Retry, |s, out| out.put(s.retries)),
    ),
    counter(
        "retry.nested",
        "Attempts beyond the first made inside an attempt of another retry.",
        of!(Retry, |s, out| out.put(s.nested)),
    ),
];

const TIMEOUT: &[Row] = &[
    counter(
        "timeout.calls",
        "Calls, by how they ended.",
        of!(Timeout, |s, out| out.put_each(
            "outcome",
            [
                ("succeeded", s.succeeded),
                ("failed", s.failed),
                ("timed_out", s.timed_out),
                ("abandoned", s.abandoned),
                ("panicked", s.panicked),
            ]
        )),
    ),
    counter(
        "timeout.would_time_out",
        "Calls that took longer and went on only because the timeout observes.",
        of!(Timeout, |s, out| out.put(s.would_time_out)),
    ),
    gauge("timeout.limit", "Time that a call may take.", of!(Timeout, |s, out| out.put(s.limit))).seconds(),
];

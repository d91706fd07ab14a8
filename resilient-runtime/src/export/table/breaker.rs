//! Circuit breakers.

use super::{Row, Samples, counter, gauge, of};
use crate::policy::{CircuitBreakerSnapshot, CircuitCause, CircuitState, Snapshot};

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

pub(super) const CIRCUIT_BREAKER: &[Row] = &[
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

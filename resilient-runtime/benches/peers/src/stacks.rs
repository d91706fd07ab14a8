//! Fallback, retry, breaker and timeout around one call, and our parts alone.

use execution_policy::core::DefaultCore;
use execution_policy::{ExecutionPolicy, ExecutionPolicyBuilder};
use layered::{Execute, Service as Layered, Stack};
use recloser::AsyncRecloser;
use seatbelt::breaker::Breaker;
use seatbelt::fallback::Fallback;
use seatbelt::retry::Retry;
use seatbelt::timeout::Timeout;
use tower::{Layer, Service, service_fn};
use tower_resilience_circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer};
use tower_resilience_fallback::{FallbackError, FallbackLayer};
use tower_resilience_retry::RetryLayer;
use tower_resilience_timelimiter::{TimeLimiterError, TimeLimiterLayer};

use crate::bodies::{Answer, Failure, work};
use crate::harness::{Case, spin};
use crate::peers::{self, LIMIT, LONG, MOST, Tower, WINDOW, context, recovery};
use crate::{calls, ours, serves};

pub const STACK: &str = "fallback, retry, breaker, timeout, success";
pub const COVERED: &str = "fallback alone, success";

async fn by_hand(breaker: &AsyncRecloser, n: u64) -> Answer {
    for _ in 0..3 {
        let bounded = async { tokio::time::timeout(LIMIT, work(n)).await.map_err(drop)?.map_err(drop) };
        if let Ok(answer) = breaker.call(bounded).await {
            return Ok(answer);
        }
    }
    Ok(0)
}

/// It has no fallback.
fn execution_policy() -> ExecutionPolicy<DefaultCore, u64, Failure> {
    ExecutionPolicyBuilder::new()
        .retry(execution_policy::Retry::exponential().max_attempts(3))
        .circuit_breaker(execution_policy::CircuitBreaker::consecutive_failures(5).open_for(LONG))
        .attempt_timeout(LIMIT)
        .build()
}

fn seatbelt() -> impl Layered<u64, Out = Answer> {
    let context = context();
    let breaker = Breaker::layer("breaker", &context)
        .recovery_with(|answer, _| recovery(answer))
        .rejected_input_error(|_, _| Failure::DOWN)
        .failure_threshold(MOST)
        .sampling_duration(WINDOW)
        .break_duration(LONG);
    (
        Fallback::layer("fallback", &context).should_fallback(Answer::is_err).fallback(|_, _| Ok(0)),
        Retry::layer("retry", &context)
            .clone_input()
            .recovery_with(|answer, _| recovery(answer))
            .max_retry_attempts(2),
        breaker,
        Timeout::layer("timeout", &context).timeout_error(|_| Failure::DOWN).timeout(LIMIT),
        Execute::new(work),
    )
        .into_service()
}

fn tower_resilience() -> impl Tower<FallbackError<CircuitBreakerError<TimeLimiterError<Failure>>>> {
    let timeout = TimeLimiterLayer::builder().timeout_duration(LIMIT).build();
    let breaker = CircuitBreakerLayer::builder().consecutive_failures(5).wait_duration_in_open(LONG);
    let breaker = breaker.build().expect("valid settings");
    let inner = breaker.layer(timeout.layer(service_fn(work)));
    FallbackLayer::value(0).layer(RetryLayer::builder().max_attempts(3).build().layer(inner))
}

pub fn cases() -> Vec<Case> {
    let (hand, policy) = (peers::recloser(), execution_policy());
    let (seatbelt, tower) = (seatbelt(), tower_resilience());
    let case = |name, run| Case { path: STACK, name, run, two: true };
    vec![
        case("ours", calls!(n => ours::stack(n))),
        case("by hand: tokio, recloser", calls!(n => by_hand(&hand, n))),
        case("seatbelt", calls!(n => seatbelt.execute(n))),
        case("execution-policy, without fallback", calls!(n => policy.run(async || work(n).await))),
        case("tower-resilience", serves!(tower; spin)),
        Case { path: COVERED, name: "ours", run: calls!(n => ours::covered(n)), two: false },
    ]
}

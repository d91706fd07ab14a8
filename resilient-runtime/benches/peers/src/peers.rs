//! The peers, each set up as kindly as its documentation allows.

use std::time::Duration;

use circuitbreaker_rs::{CircuitBreaker as Rated, DefaultPolicy};
use execution_policy::core::DefaultCore;
use execution_policy::{ExecutionPolicy, ExecutionPolicyBuilder};
use failsafe::{backoff, failure_policy};
use layered::{Execute, Service as Layered, Stack};
use recloser::{AsyncRecloser, Recloser};
use seatbelt::breaker::Breaker;
use seatbelt::{RecoveryInfo, ResilienceContext};
use tick::Clock;
use tower::Layer;
use tower::{Service, service_fn};
use tower_resilience_circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer, SlidingWindowType};

use crate::bodies::{Answer, Failure};

/// Longer than any run, so that what is open stays open.
pub const LONG: Duration = Duration::from_secs(600);
pub const LIMIT: Duration = Duration::from_secs(2);
pub const WINDOW: Duration = Duration::from_secs(10);

/// A share of failures that half of the calls do not reach.
pub const MOST: f32 = 0.9;

pub fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

pub fn nobreak() -> nobreak::CircuitBreaker {
    nobreak::builder().with_failure_threshold(5).with_open_duration(LONG).build()
}

pub fn recloser() -> AsyncRecloser {
    AsyncRecloser::from(Recloser::custom().error_rate(MOST).closed_len(100).open_wait(LONG).build())
}

pub fn failsafe() -> impl failsafe::futures::CircuitBreaker + Clone + Send + Sync {
    let policy = failure_policy::consecutive_failures(5, backoff::constant(LONG));
    failsafe::Config::new().failure_policy(policy).build()
}

pub fn circuitbreaker_rs() -> Rated<DefaultPolicy, Failure> {
    Rated::<DefaultPolicy, Failure>::builder().failure_threshold(f64::from(MOST)).cooldown(LONG).build()
}

pub fn by_failures() -> ExecutionPolicy<DefaultCore, u64, Failure> {
    let breaker = execution_policy::CircuitBreaker::consecutive_failures(5).open_for(LONG);
    ExecutionPolicyBuilder::new().circuit_breaker(breaker).build()
}

pub fn by_ratio() -> ExecutionPolicy<DefaultCore, u64, Failure> {
    let breaker = execution_policy::CircuitBreaker::failure_ratio()
        .failure_ratio_value(f64::from(MOST))
        .sampling_window(WINDOW)
        .open_for(LONG);
    ExecutionPolicyBuilder::new().circuit_breaker(breaker).build()
}

pub fn context() -> ResilienceContext<u64, Answer> {
    ResilienceContext::new(Clock::new_tokio().with_fast_instant(true))
}

pub fn recovery(answer: &Answer) -> RecoveryInfo {
    if answer.is_ok() { RecoveryInfo::never() } else { RecoveryInfo::retry() }
}

/// A window of time of 10 s; it has no other.
pub fn seatbelt<F>(body: fn(u64) -> F) -> impl Layered<u64, Out = Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let breaker = Breaker::layer("breaker", &context())
        .recovery_with(|answer, _| recovery(answer))
        .rejected_input_error(|_, _| Failure::DOWN)
        .failure_threshold(MOST)
        .min_throughput(10)
        .sampling_duration(WINDOW)
        .break_duration(LONG);
    (breaker, Execute::new(body)).into_service()
}

pub trait Tower<E>:
    Service<u64, Response = u64, Error = E, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<T, E> Tower<E> for T where
    T: Service<u64, Response = u64, Error = E, Future: Send> + Clone + Send + Sync + 'static
{
}

/// Failures in a row, or with `window` their share in a window of time.
pub fn tower_resilience<F>(
    window: Option<Duration>,
    body: fn(u64) -> F,
) -> impl Tower<CircuitBreakerError<Failure>>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let layer = CircuitBreakerLayer::builder().wait_duration_in_open(LONG);
    let layer = match window {
        None => layer.consecutive_failures(5),
        Some(window) => layer
            .sliding_window_type(SlidingWindowType::TimeBased)
            .sliding_window_duration(window)
            .failure_rate_threshold(f64::from(MOST))
            .minimum_number_of_calls(10),
    };
    layer.build().expect("valid settings").layer(service_fn(body))
}

//! A retry that is not needed, and one that is, without a delay.

use std::future::{Ready, ready};
use std::hint::black_box;
use std::time::Duration;

use backon::{ConstantBuilder, ExponentialBuilder, Retryable};
use execution_policy::core::DefaultCore;
use execution_policy::{ExecutionPolicy, ExecutionPolicyBuilder};
use layered::{Execute, Service as Layered, Stack};
use seatbelt::retry::Retry;
use tokio_retry2::strategy::{ExponentialBackoff, FixedInterval};
use tokio_retry2::{MapErr, Retry as Tokio};
use tower::{Layer, Service, service_fn};
use tower_resilience_retry::RetryLayer;

use crate::bodies::{Answer, Failure, second_time, work};
use crate::harness::{Case, at_once, drive};
use crate::peers::{Tower, context, recovery};
use crate::{calls, ours, serves};

pub const FIRST: &str = "retry, first attempt succeeds";
pub const SECOND: &str = "retry, one failure, zero delay";

const BASE: Duration = Duration::from_millis(100);

#[derive(Clone)]
struct Thrice(u8);

impl tower::retry::Policy<u64, u64, Failure> for Thrice {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut u64, result: &mut Answer) -> Option<Self::Future> {
        self.0 = self.0.checked_sub(u8::from(result.is_err()))?;
        result.is_err().then(|| ready(()))
    }

    fn clone_request(&mut self, n: &u64) -> Option<u64> {
        Some(*n)
    }
}

fn execution_policy(delay: Duration) -> ExecutionPolicy<DefaultCore, u64, Failure> {
    let retry = execution_policy::Retry::exponential().base_delay(delay).max_attempts(3);
    ExecutionPolicyBuilder::new().retry(retry).build()
}

fn seatbelt<F>(delay: Duration, body: fn(u64) -> F) -> impl Layered<u64, Out = Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let retry = Retry::layer("retry", &context())
        .clone_input()
        .recovery_with(|answer, _| recovery(answer))
        .max_retry_attempts(2)
        .base_delay(delay);
    (retry, Execute::new(body)).into_service()
}

fn tower_resilience<F>(delay: Duration, body: fn(u64) -> F) -> impl Tower<Failure>
where
    F: Future<Output = Answer> + Send + 'static,
{
    RetryLayer::builder().max_attempts(3).fixed_backoff(delay).build().layer(service_fn(body))
}

pub fn cases() -> Vec<Case> {
    [first(), second()].into_iter().flatten().collect()
}

fn first() -> Vec<Case> {
    let tower = tower::retry::Retry::new(Thrice(3), service_fn(work));
    let (policy, seatbelt, resilience) =
        (execution_policy(BASE), seatbelt(BASE, work), tower_resilience(BASE, work));
    let case = |name, run| Case { path: FIRST, name, run, two: false };
    vec![
        case("ours", calls!(n => ours::first_attempt(n))),
        case(
            "tower",
            Box::new(move |calls| {
                let mut tower = tower.clone();
                (0..calls).for_each(|n| drop(black_box(at_once(tower.call(n)))));
            }),
        ),
        case("backon", calls!(n => async move { (|| work(n)).retry(ExponentialBuilder::default()).await })),
        case(
            "tokio-retry2",
            calls!(n => Tokio::spawn(
                ExponentialBackoff::from_millis(100).take(2),
                async || work(n).await.map_transient_err(),
            )),
        ),
        case("seatbelt", calls!(n => seatbelt.execute(n))),
        case("execution-policy", calls!(n => policy.run(async || work(n).await))),
        case("tower-resilience", serves!(resilience)),
    ]
}

fn second() -> Vec<Case> {
    let none = Duration::ZERO;
    let tower = tower::retry::Retry::new(Thrice(3), service_fn(second_time));
    let (policy, seatbelt, resilience) =
        (execution_policy(none), seatbelt(none, second_time), tower_resilience(none, second_time));
    let case = |name, run| Case { path: SECOND, name, run, two: false };
    vec![
        case("ours", calls!(n => ours::one_failure(n))),
        case("direct, twice", calls!(n => async move { second_time(n).await.or(second_time(n).await) })),
        case(
            "tower",
            Box::new(move |calls| {
                let mut tower = tower.clone();
                (0..calls).for_each(|n| drop(black_box(at_once(tower.call(n)))));
            }),
        ),
        case(
            "backon",
            calls!(n => async move {
                (|| second_time(n)).retry(ConstantBuilder::default().with_delay(Duration::ZERO)).await
            }; drive),
        ),
        case(
            "tokio-retry2",
            calls!(n => Tokio::spawn(
                FixedInterval::from_millis(0).take(2),
                async || second_time(n).await.map_transient_err(),
            ); drive),
        ),
        case("seatbelt", calls!(n => seatbelt.execute(n))),
        case("execution-policy", calls!(n => policy.run(async || second_time(n).await))),
        case("tower-resilience", serves!(resilience; drive)),
    ]
}

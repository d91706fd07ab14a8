//! A timeout around a body that is ready, one that waits once, and tasks that take turns.

use execution_policy::core::DefaultCore;
use execution_policy::{ExecutionPolicy, ExecutionPolicyBuilder};
use layered::{Execute, Service as Layered, Stack};
use seatbelt::timeout::Timeout;
use tokio::time::timeout;
use tower::{Layer, Service, service_fn};
use tower_resilience_timelimiter::{TimeLimiterError, TimeLimiterLayer};

use crate::bodies::{Answer, Failure, work, yields};
use crate::harness::{Case, at_last};
use crate::peers::{LIMIT, Tower, context};
use crate::{calls, ours, serves};

pub const READY: &str = "timeout, ready at the first poll";
pub const PENDS: &str = "timeout, pends once";

pub fn execution_policy() -> ExecutionPolicy<DefaultCore, u64, Failure> {
    ExecutionPolicyBuilder::new().attempt_timeout(LIMIT).build()
}

pub fn seatbelt<F>(body: fn(u64) -> F) -> impl Layered<u64, Out = Answer> + 'static
where
    F: Future<Output = Answer> + Send + 'static,
{
    let timeout = Timeout::layer("timeout", &context()).timeout_error(|_| Failure::DOWN).timeout(LIMIT);
    (timeout, Execute::new(body)).into_service()
}

pub fn tower_resilience<F>(body: fn(u64) -> F) -> impl Tower<TimeLimiterError<Failure>>
where
    F: Future<Output = Answer> + Send + 'static,
{
    TimeLimiterLayer::builder().timeout_duration(LIMIT).build().layer(service_fn(body))
}

pub fn cases() -> Vec<Case> {
    let (policy, pending_policy) = (execution_policy(), execution_policy());
    let (belt, pending_belt) = (seatbelt(work), seatbelt(yields));
    let (tower, pending_tower) = (tower_resilience(work), tower_resilience(yields));
    let ready = |name, run| Case { path: READY, name, run, two: false };
    let pends = |name, run| Case { path: PENDS, name, run, two: false };
    vec![
        ready("ours", calls!(n => ours::ready(n))),
        ready("tokio", calls!(n => timeout(LIMIT, work(n)))),
        ready("seatbelt", calls!(n => belt.execute(n))),
        ready("execution-policy", calls!(n => policy.run(async || work(n).await))),
        ready("tower-resilience", serves!(tower)),
        pends("ours", calls!(n => ours::pends(n); at_last)),
        pends("direct", calls!(n => yields(n); at_last)),
        pends("tokio", calls!(n => timeout(LIMIT, yields(n)); at_last)),
        pends("seatbelt", calls!(n => pending_belt.execute(n); at_last)),
        pends("execution-policy", calls!(n => pending_policy.run(async || yields(n).await); at_last)),
        pends("tower-resilience", serves!(pending_tower; at_last)),
    ]
}

//! What is told about each policy.

use serde_core::ser::{Serialize, SerializeMap, Serializer};

use super::json::{Number, counts, seconds};
use super::readiness::Readiness;
use super::report::HealthStatus;
use crate::outcome::Class;
use crate::policy::{CircuitBreakerSnapshot, LoadShedSnapshot, Mode, Policy, RetrySnapshot, Snapshot};
use crate::registry::World;
use crate::tally::Tally;

/// What one policy does, and what that means.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PolicyHealth {
    /// `Up`, or `Degraded` while it refuses calls because of failures or overload.
    pub status: HealthStatus,
    /// What it means for the program that it does.
    pub readiness: Readiness,
    /// Everything that is known of it.
    pub snapshot: Snapshot,
}

/// All policies but the checks themselves.
pub(super) fn policies(world: &World) -> Vec<PolicyHealth> {
    let policies = world.all().into_iter().map(PolicyHealth::of);
    policies.filter(|policy| !matches!(policy.snapshot, Snapshot::HealthCheck(_))).collect()
}

impl PolicyHealth {
    fn of(policy: &dyn Policy) -> Self {
        let status = if policy.refuses() { HealthStatus::Degraded } else { HealthStatus::Up };
        Self { status, readiness: policy.readiness(), snapshot: policy.snapshot(Tally::total) }
    }

    /// What it means for the program.
    pub(super) fn weight(&self) -> HealthStatus {
        if self.status == HealthStatus::Up { HealthStatus::Up } else { self.readiness.weight() }
    }
}

impl Serialize for PolicyHealth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut policy = serializer.serialize_map(None)?;
        policy.serialize_entry("kind", self.snapshot.stem())?;
        policy.serialize_entry("name", self.snapshot.name())?;
        policy.serialize_entry("status", self.status.as_str())?;
        policy.serialize_entry("readiness", self.readiness.as_str())?;
        policy.serialize_entry("mode", mode(&self.snapshot))?;
        write(&self.snapshot, &mut policy)?;
        policy.end()
    }
}

fn mode(snapshot: &Snapshot) -> &'static str {
    match (snapshot.is_enabled(), snapshot.observes()) {
        (false, _) => "off",
        (true, Some(true)) => Mode::Observe.as_str(),
        (true, _) => Mode::Enforce.as_str(),
    }
}

fn write<M: SerializeMap>(snapshot: &Snapshot, policy: &mut M) -> Result<(), M::Error> {
    match snapshot {
        Snapshot::Budget(it) => {
            counts(policy, [("left", it.left), ("capacity", it.capacity.into())])?;
            counts(policy, [("spent", it.spent), ("refused", it.refused)])?;
        }
        Snapshot::Bulkhead(it) => {
            counts(policy, [("max_concurrent", it.max_concurrent.into()), ("running", it.running)])?;
            counts(policy, [("waiting", it.waiting), ("admitted", it.admitted), ("waited", it.waited)])?;
            counts(policy, [("rejected", it.rejected), ("abandoned", it.abandoned)])?;
            counts(policy, [("would_reject", it.would_reject), ("would_wait", it.would_wait)])?;
        }
        #[cfg(feature = "cache")]
        Snapshot::Cache(it) => {
            counts(policy, [("entries", it.entries), ("hits", it.hits), ("misses", it.misses)])?;
            counts(policy, [("stale_while_revalidated", it.stale_while_revalidated)])?;
            counts(policy, [("stale_on_error", it.stale_on_error), ("evicted", it.evicted)])?;
        }
        Snapshot::CircuitBreaker(it) => breaker(it, policy)?,
        Snapshot::Coalesce(it) => {
            counts(policy, [("in_flight", it.in_flight), ("waiting", it.waiting)])?;
            counts(policy, [("flights", it.flights), ("joined", it.joined), ("alone", it.alone)])?;
        }
        Snapshot::Fallback(it) => {
            counts(policy, [("served", it.served), ("failed", it.failed), ("passed_on", it.passed_on)])?;
            counts(policy, [("entries", it.entries)])?;
        }
        // Its report has a list of its own.
        Snapshot::HealthCheck(_) => {}
        Snapshot::Hedge(it) => {
            policy.serialize_entry("after", &it.after.map(seconds))?;
            counts(policy, [("first", it.first), ("hedged", it.hedged), ("failed", it.failed)])?;
            counts(policy, [("hedges", it.hedges), ("dropped", it.dropped)])?;
            counts(policy, [("abandoned", it.abandoned), ("panicked", it.panicked)])?;
        }
        Snapshot::LoadShed(it) => shed(it, policy)?,
        Snapshot::RateLimit(it) => {
            policy.serialize_entry("rate", &it.rate.to_string())?;
            counts(policy, [("burst", it.burst.into()), ("available", it.available.into())])?;
            counts(policy, [("waiting", it.waiting), ("admitted", it.admitted), ("rejected", it.rejected)])?;
            counts(policy, [("waited", it.waited), ("abandoned", it.abandoned)])?;
            counts(policy, [("would_reject", it.would_reject)])?;
        }
        Snapshot::Retry(it) => retry(it, policy)?,
        Snapshot::Timeout(it) => {
            policy.serialize_entry("limit", &seconds(it.limit))?;
            counts(
                policy,
                [("succeeded", it.succeeded), ("failed", it.failed), ("timed_out", it.timed_out)],
            )?;
            counts(policy, [("abandoned", it.abandoned), ("panicked", it.panicked)])?;
            counts(policy, [("would_time_out", it.would_time_out)])?;
        }
    }
    Ok(())
}

fn breaker<M: SerializeMap>(it: &CircuitBreakerSnapshot, policy: &mut M) -> Result<(), M::Error> {
    policy.serialize_entry("state", &it.state.as_str())?;
    policy.serialize_entry("would_be", &it.would_be.as_str())?;
    policy.serialize_entry("time_in_state", &seconds(it.time_in_state))?;
    policy.serialize_entry("retry_after", &it.retry_after.map(seconds))?;
    policy.serialize_entry("held_by", &it.held_by)?;
    policy.serialize_entry("window_calls", &it.window_calls)?;
    policy.serialize_entry("window_failed", &it.window_failed)?;
    policy.serialize_entry("failure_rate", &it.failure_rate.map(Number))?;
    policy.serialize_entry("slow_rate", &it.slow_rate.map(Number))?;
    policy.serialize_entry("last_error", &it.last_error.map(Class::as_str))?;
    counts(policy, [("succeeded", it.succeeded), ("failed", it.failed), ("slow", it.slow)])?;
    counts(policy, [("ignored", it.ignored), ("abandoned", it.abandoned), ("panicked", it.panicked)])?;
    counts(policy, [("rejected", it.rejected), ("would_reject", it.would_reject)])
}

fn shed<M: SerializeMap>(it: &LoadShedSnapshot, policy: &mut M) -> Result<(), M::Error> {
    policy.serialize_entry("overloaded", &it.overloaded)?;
    counts(policy, [("limit", it.limit), ("running", it.running)])?;
    policy.serialize_entry("share", &Number(it.share))?;
    counts(policy, [("admitted", it.admitted.total()), ("rejected", it.rejected.total())])?;
    counts(policy, [("would_reject", it.would_reject.total())])
}

fn retry<M: SerializeMap>(it: &RetrySnapshot, policy: &mut M) -> Result<(), M::Error> {
    counts(policy, [("max", it.max.into()), ("first_try", it.first_try), ("after_retry", it.after_retry)])?;
    counts(policy, [("exhausted", it.exhausted), ("retries", it.retries)])?;
    counts(policy, [("not_retryable", it.not_retryable), ("budget", it.budget)])?;
    counts(policy, [("deadline", it.deadline), ("retry_after", it.retry_after)])?;
    counts(policy, [("abandoned", it.abandoned), ("panicked", it.panicked)])?;
    policy.serialize_entry("budget_left", &it.budget_left)
}

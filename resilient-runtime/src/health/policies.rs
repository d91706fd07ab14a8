//! What is told about each policy.

use super::json::Json;
use super::readiness::Readiness;
use super::report::HealthStatus;
use crate::outcome::Class;
use crate::policy::{CircuitBreakerSnapshot, LoadShedSnapshot, Policy, Snapshot};
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

    pub(super) fn write(&self, policy: &mut Json<'_>) {
        policy.word("kind", self.snapshot.stem());
        policy.word("name", self.snapshot.name());
        policy.word("status", self.status.as_str());
        policy.word("readiness", self.readiness.as_str());
        write(&self.snapshot, policy);
    }
}

fn write(snapshot: &Snapshot, policy: &mut Json<'_>) {
    match snapshot {
        Snapshot::Budget(it) => {
            policy.counts([("left", it.left), ("capacity", it.capacity.into())]);
            policy.counts([("spent", it.spent), ("refused", it.refused)]);
        }
        Snapshot::Bulkhead(it) => {
            policy.counts([("max_concurrent", it.max_concurrent.into()), ("running", it.running)]);
            policy.counts([("waiting", it.waiting), ("admitted", it.admitted), ("waited", it.waited)]);
            policy.counts([("rejected", it.rejected), ("abandoned", it.abandoned)]);
            policy.counts([("would_reject", it.would_reject), ("would_wait", it.would_wait)]);
        }
        #[cfg(feature = "cache")]
        Snapshot::Cache(it) => {
            policy.counts([("entries", it.entries), ("hits", it.hits), ("misses", it.misses)]);
            policy.counts([("stale_while_revalidated", it.stale_while_revalidated)]);
            policy.counts([("stale_on_error", it.stale_on_error), ("evicted", it.evicted)]);
        }
        Snapshot::CircuitBreaker(it) => breaker(it, policy),
        Snapshot::Coalesce(it) => {
            policy.counts([("in_flight", it.in_flight), ("waiting", it.waiting)]);
            policy.counts([("flights", it.flights), ("joined", it.joined)]);
        }
        Snapshot::Fallback(it) => {
            policy.counts([("served", it.served), ("failed", it.failed), ("passed_on", it.passed_on)]);
        }
        // Its report has a list of its own.
        Snapshot::HealthCheck(_) => {}
        Snapshot::Hedge(it) => {
            policy.maybe_time("after", it.after);
            policy.counts([("first", it.first), ("hedged", it.hedged), ("failed", it.failed)]);
            policy.counts([("hedges", it.hedges), ("dropped", it.dropped)]);
        }
        Snapshot::LoadShed(it) => shed(it, policy),
        Snapshot::RateLimit(it) => {
            policy.word("rate", &it.rate.to_string());
            policy.counts([("burst", it.burst.into()), ("available", it.available.into())]);
            policy.counts([("waiting", it.waiting), ("admitted", it.admitted), ("rejected", it.rejected)]);
            policy.counts([("would_reject", it.would_reject)]);
        }
        Snapshot::Retry(it) => {
            policy.counts([
                ("max", it.max.into()),
                ("first_try", it.first_try),
                ("after_retry", it.after_retry),
            ]);
            policy.counts([("exhausted", it.exhausted), ("retries", it.retries)]);
            policy.maybe_count("budget_left", it.budget_left);
        }
        Snapshot::Timeout(it) => {
            policy.time("limit", it.limit);
            policy.counts([("succeeded", it.succeeded), ("failed", it.failed), ("timed_out", it.timed_out)]);
            policy.counts([("would_time_out", it.would_time_out)]);
        }
    }
}

fn breaker(it: &CircuitBreakerSnapshot, policy: &mut Json<'_>) {
    policy.word("state", it.state.as_str());
    policy.word("would_be", it.would_be.as_str());
    policy.time("time_in_state", it.time_in_state);
    policy.maybe_time("retry_after", it.retry_after);
    policy.maybe_word("held_by", it.held_by);
    policy.maybe_count("window_calls", it.window_calls);
    policy.maybe_count("window_failed", it.window_failed);
    policy.maybe_number("failure_rate", it.failure_rate);
    policy.maybe_number("slow_rate", it.slow_rate);
    policy.maybe_word("last_error", it.last_error.map(Class::as_str));
    policy.counts([("succeeded", it.succeeded), ("failed", it.failed), ("slow", it.slow)]);
    policy.counts([("ignored", it.ignored), ("abandoned", it.abandoned), ("panicked", it.panicked)]);
    policy.counts([("rejected", it.rejected), ("would_reject", it.would_reject)]);
}

fn shed(it: &LoadShedSnapshot, policy: &mut Json<'_>) {
    policy.flag("overloaded", it.overloaded);
    policy.counts([("limit", it.limit), ("running", it.running)]);
    policy.number("share", it.share);
    policy.counts([("admitted", it.admitted.total()), ("rejected", it.rejected.total())]);
    policy.counts([("would_reject", it.would_reject.total())]);
}

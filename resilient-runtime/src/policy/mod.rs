//! The shape each policy follows: its keys, how a setting is checked, what a registry holds.

pub(crate) mod budget;
pub(crate) mod bulkhead;
#[cfg(feature = "cache")]
pub(crate) mod cache;
pub(crate) mod circuit_breaker;
pub(crate) mod coalesce;
pub(crate) mod fallback;
pub(crate) mod hedge;
pub(crate) mod load_shed;
pub(crate) mod rate_limit;
pub(crate) mod retry;
pub(crate) mod timeout;

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use resilient_settings::stem::{MODES, Table};
use resilient_settings::{Value, Written};

use crate::tally::Since;

pub use self::budget::{BudgetSnapshot, RetryBudget};
pub use self::bulkhead::{Bulkhead, BulkheadPermit, BulkheadSnapshot};
#[cfg(feature = "cache")]
pub use self::cache::{Cache, CacheSnapshot};
pub use self::circuit_breaker::{
    CircuitBreaker, CircuitBreakerSnapshot, CircuitCause, CircuitChange, CircuitPermit, CircuitState,
    CircuitWindow,
};
pub use self::coalesce::{Coalesce, CoalesceSnapshot};
pub use self::fallback::{Fallback, FallbackSnapshot};
pub use self::hedge::{Hedge, HedgeSnapshot, HedgeWith};
pub use self::load_shed::{ByPriority, LoadShed, LoadShedPermit, LoadShedSnapshot, ShedAlgorithm, ShedMode};
pub use self::rate_limit::{RateLimit, RateLimitSnapshot};
pub use self::retry::{Nested, Retry, RetryCause, RetryReport, RetrySnapshot, RetryWith};
pub use self::timeout::{Timeout, TimeoutSnapshot};

#[cfg(feature = "health")]
use crate::health::{self, HealthCheckSnapshot};

/// Whether a policy refuses calls.
///
/// ```
/// use resilient_runtime::{Mode, bulkhead, configure, registry};
///
/// #[bulkhead(name = "reports", max_concurrent = 2)]
/// async fn report() -> Result<u32, std::io::Error> {
///     Ok(42)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), resilient_runtime::ConfigError> {
/// configure().bulkhead("reports", |b| b.mode(Mode::Observe)).install()?;
/// let three = tokio::join!(report(), report(), report());
/// # drop(three);
/// let reports = registry().bulkhead("reports").expect("just installed").snapshot();
/// println!("{} calls would have been refused", reports.would_reject);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// It does.
    #[default]
    Enforce,
    /// It lets all pass, and counts and reports those it would have refused. None is kept waiting.
    Observe,
}

impl Mode {
    /// The word that `mode = …` takes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => MODES[0],
            Self::Observe => MODES[1],
        }
    }

    /// For a key.
    pub(crate) const fn value(self) -> Value {
        Value::Word(self.as_str())
    }
}

/// Statistics of one policy, as of now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Snapshot {
    /// Of a budget for retries and hedges.
    Budget(BudgetSnapshot),
    /// Of a bulkhead.
    Bulkhead(BulkheadSnapshot),
    /// Of a cache.
    #[cfg(feature = "cache")]
    Cache(CacheSnapshot),
    /// Of a circuit breaker.
    CircuitBreaker(CircuitBreakerSnapshot),
    /// Of a coalescing policy.
    Coalesce(CoalesceSnapshot),
    /// Of a fallback.
    Fallback(FallbackSnapshot),
    /// Of a health check.
    #[cfg(feature = "health")]
    HealthCheck(HealthCheckSnapshot),
    /// Of a hedge.
    Hedge(HedgeSnapshot),
    /// Of a load shedder.
    LoadShed(LoadShedSnapshot),
    /// Of a rate limit.
    RateLimit(RateLimitSnapshot),
    /// Of a retry.
    Retry(RetrySnapshot),
    /// Of a timeout.
    Timeout(TimeoutSnapshot),
}

impl Snapshot {
    /// Kind of policy: its attribute's name.
    #[must_use]
    pub const fn stem(&self) -> &'static str {
        match self {
            Self::Budget(_) => budget::STEM.table.name,
            Self::Bulkhead(_) => bulkhead::STEM.table.name,
            #[cfg(feature = "cache")]
            Self::Cache(_) => cache::STEM.table.name,
            Self::CircuitBreaker(_) => circuit_breaker::STEM.table.name,
            Self::Coalesce(_) => coalesce::STEM.table.name,
            Self::Fallback(_) => fallback::STEM.table.name,
            #[cfg(feature = "health")]
            Self::HealthCheck(_) => health::STEM.table.name,
            Self::Hedge(_) => hedge::STEM.table.name,
            Self::LoadShed(_) => load_shed::STEM.table.name,
            Self::RateLimit(_) => rate_limit::STEM.table.name,
            Self::Retry(_) => retry::STEM.table.name,
            Self::Timeout(_) => timeout::STEM.table.name,
        }
    }

    /// Name of the policy.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Budget(snapshot) => snapshot.name,
            Self::Bulkhead(snapshot) => snapshot.name,
            #[cfg(feature = "cache")]
            Self::Cache(snapshot) => snapshot.name,
            Self::CircuitBreaker(snapshot) => snapshot.name,
            Self::Coalesce(snapshot) => snapshot.name,
            Self::Fallback(snapshot) => snapshot.name,
            #[cfg(feature = "health")]
            Self::HealthCheck(snapshot) => snapshot.name,
            Self::Hedge(snapshot) => snapshot.name,
            Self::LoadShed(snapshot) => snapshot.name,
            Self::RateLimit(snapshot) => snapshot.name,
            Self::Retry(snapshot) => snapshot.name,
            Self::Timeout(snapshot) => snapshot.name,
        }
    }

    /// Whether the policy does anything.
    ///
    /// A circuit breaker that was disabled by hand does not.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        match self {
            Self::Budget(snapshot) => snapshot.enabled,
            Self::Bulkhead(snapshot) => snapshot.enabled,
            #[cfg(feature = "cache")]
            Self::Cache(snapshot) => snapshot.enabled,
            Self::CircuitBreaker(snapshot) => !matches!(snapshot.state, CircuitState::Disabled),
            Self::Coalesce(snapshot) => snapshot.enabled,
            Self::Fallback(snapshot) => snapshot.enabled,
            #[cfg(feature = "health")]
            Self::HealthCheck(_) => true,
            Self::Hedge(snapshot) => snapshot.enabled,
            Self::LoadShed(snapshot) => snapshot.enabled,
            Self::RateLimit(snapshot) => snapshot.enabled,
            Self::Retry(snapshot) => snapshot.enabled,
            Self::Timeout(snapshot) => snapshot.enabled,
        }
    }

    /// Whether the policy only observes; nothing for one that refuses no calls anyway.
    #[must_use]
    pub const fn observes(&self) -> Option<bool> {
        match self {
            Self::Bulkhead(snapshot) => Some(snapshot.observes),
            Self::CircuitBreaker(snapshot) => Some(matches!(snapshot.state, CircuitState::Observing)),
            Self::LoadShed(snapshot) => Some(snapshot.observes),
            Self::RateLimit(snapshot) => Some(snapshot.observes),
            Self::Timeout(snapshot) => Some(snapshot.observes),
            _ => None,
        }
    }
}

/// One kind of policy: its keys, and what a registry does with them.
#[derive(Debug)]
pub(crate) struct Stem {
    pub(crate) table: &'static Table,
    /// Longest that the layers below may take, if this kind of policy bounds them.
    pub(crate) limit: fn(&Written) -> Option<Duration>,
    /// Least that it waits between runs of the layers below, if it runs them again.
    pub(crate) least_waits: fn(&Written) -> Option<Duration>,
    pub(crate) create: fn(&'static str, &Written) -> &'static dyn Policy,
}

impl Deref for Stem {
    type Target = Table;

    fn deref(&self) -> &Table {
        self.table
    }
}

/// A policy as the registry holds it.
pub(crate) trait Policy: Any + Send + Sync + fmt::Debug {
    /// Takes over new settings and keeps what was learned.
    fn apply(&self, written: &Written);
    /// Tells what `apply` changed, once no lock is held.
    fn announce(&self) {}
    fn snapshot(&self, count: Since) -> Snapshot;
    /// Back to the state of the first day.
    fn reset(&self);

    /// Takes note of what health checks found out, each by its name.
    #[cfg(feature = "health")]
    fn heed(&self, _of: &dyn Fn(Option<&str>) -> circuit_breaker::News) {}

    /// Whether it refuses calls because of failures or overload.
    #[cfg(feature = "health")]
    fn refuses(&self) -> bool {
        false
    }

    /// What it means for the program that it refuses calls.
    #[cfg(feature = "health")]
    fn readiness(&self) -> health::Readiness {
        health::Readiness::Ignore
    }
}

/// A policy type that an annotated function finds by name.
pub(crate) trait Named: Policy {
    const STEM: &'static Stem;
}

macro_rules! named {
    ($($(#[$on:meta])* $policy:ty => $stem:path,)*) => {
        $($(#[$on])* impl Named for $policy {
            const STEM: &'static Stem = &$stem;
        })*

        /// Every kind of policy there is.
        pub(crate) static STEMS: &[&Stem] = &[$($(#[$on])* &$stem),*];
    };
}

named! {
    budget::Purse => budget::STEM,
    bulkhead::Bulkhead => bulkhead::STEM,
    #[cfg(feature = "cache")]
    cache::Cache => cache::STEM,
    circuit_breaker::CircuitBreaker => circuit_breaker::STEM,
    coalesce::Coalesce => coalesce::STEM,
    fallback::FallbackPolicy => fallback::STEM,
    #[cfg(feature = "health")]
    health::Check => health::STEM,
    hedge::Hedge => hedge::STEM,
    load_shed::LoadShed => load_shed::STEM,
    rate_limit::RateLimit => rate_limit::STEM,
    retry::RetryPolicy => retry::STEM,
    timeout::TimeoutPolicy => timeout::STEM,
}

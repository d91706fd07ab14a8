//! What expansions may name. No promise of stability is made for anything here.

pub use inventory;
#[cfg(feature = "config")]
pub use resilient_macros::__include_config;
pub use resilient_macros::{__applied, __stack};

pub use crate::copies::{ByClone, values};
#[cfg(feature = "config")]
pub use crate::embedded::embedded;
pub use crate::error::Rejected;
pub use crate::function::Function;
#[cfg(feature = "health")]
pub use crate::health::probe::{CheckEntry, Probe, probe, run};
pub use crate::key::{PartOf, ViaItself, ViaNoReference, ViaNothing, ViaReference, site};
pub use crate::key_of::{KeyOf, ViaShort, ViaStr};
pub use crate::level::{
    Given, Outcome, ViaFuture, ViaValue, answer, attempt_arg, body, edge, errors, errors_of, failed,
    fallback_arg, never, settled,
};
pub use crate::outcome::{Class, Classify, after};
pub use crate::policy::bulkhead::{Bulkhead, bulkhead, places};
#[cfg(feature = "cache")]
pub use crate::policy::cache::{Cache, Looked, cache, found, settle};
pub use crate::policy::circuit_breaker::{
    CircuitBreaker, breaker, breaker_for, circuit_breaker, circuit_breaker_when,
};
pub use crate::policy::coalesce::{Coalesce, coalesce, seat};
#[cfg(feature = "cache")]
pub use crate::policy::fallback::recall::{recall, recall_when, remember};
pub use crate::policy::fallback::{FallbackPolicy, fall_back, fall_back_when, fell_back};
pub use crate::policy::hedge::{Hedge, hedge, hedge_with, own};
pub use crate::policy::load_shed::{LoadShed, load_shed};
pub use crate::policy::rate_limit::{RateLimit, limiter, limiter_for, rate_limit};
pub use crate::policy::retry::{After, RetryPolicy, attempt, attempt_with, retry};
pub use crate::policy::timeout::{TimeoutPolicy, limit, timeout};
pub use crate::priority::Priority;
pub use crate::record::{Entry, LayerSite, Record};
#[cfg(feature = "trace")]
pub use crate::watch::watch_attempt;
#[cfg(any(feature = "trace", feature = "latency"))]
pub use crate::watch::{station, watch};
pub use resilient_settings::Rate;
pub use resilient_settings::Value;

/// Name of a type as the compiler writes it.
#[must_use]
pub fn type_name<T: ?Sized>() -> &'static str {
    std::any::type_name::<T>()
}

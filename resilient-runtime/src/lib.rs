//! Retry, circuit breaker, fallback and seven more policies for async functions on tokio.
//!
//! Annotate a function; its policies apply in reading order, the top one outermost:
//!
//! ```
//! use resilient_runtime::{Classify, Rejected, circuit_breaker, fallback, retry, timeout};
//!
//! #[derive(Debug, Classify)]
//! enum PaymentError {
//!     #[transient]
//!     Connection,
//!     #[permanent]
//!     Declined,
//!     #[transparent]
//!     Rejected(Rejected),
//! }
//!
//! impl From<Rejected> for PaymentError {
//!     fn from(rejected: Rejected) -> Self {
//!         Self::Rejected(rejected)
//!     }
//! }
//!
//! #[fallback(fn = cached_quote)]
//! #[retry(max = 3, backoff = "exponential", jitter)]
//! #[circuit_breaker(name = "payments")]
//! #[timeout("2s")]
//! async fn quote(sku: &str) -> Result<u32, PaymentError> {
//!     if sku.is_empty() { Err(PaymentError::Connection) } else { Ok(42) }
//! }
//!
//! fn cached_quote(_sku: &str) -> Result<u32, PaymentError> {
//!     Ok(40)
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! assert_eq!(quote("tea").await.unwrap(), 42);
//! assert_eq!(quote("").await.unwrap(), 40);
//! # }
//! ```
//!
//! - The attributes are the manuals: keys, defaults, order, expansion. Against failures [`macro@retry`],
//!   [`macro@circuit_breaker`], [`macro@fallback`], [`macro@timeout`] and [`macro@hedge`]; against too much
//!   work [`macro@bulkhead`], [`macro@rate_limit`] and [`macro@load_shed`]; to spare it [`macro@cache`] and
//!   [`macro@coalesce`]. [`macro@resilient`] leaves the choice to the configuration.
//! - [`configure`] tunes policies by name at start-up; [`registry`] finds, reports and controls
//!   them; [`subscribe`] tells what happens to them; [`inventory()`] lists what they guard.
//! - An error type says what it means by [`Classify`], and how a refusal looks by
//!   `From<`[`Rejected`]`>`; [`Fault`] does both for those that do not want to.
//! - [`CallEach`] calls a guarded function for each item of a stream, no faster than it is let in.
//! - [`attempt`], [`deadline`], [`priority()`] and [`inherit`] tell the running code where it stands.
//! - [`Retry`], [`CircuitBreaker`], [`Timeout`] and the others do the same without macros.
//!
//! The policies of a function live in `static`s: all instances of a generic function share them,
//! as do all types that use a trait's default method. Two versions of this crate in one program
//! hold two registries.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `cache` (default) | `#[cache]`, [`Cache`] and `#[fallback(cached)]`, on moka |
//! | `config` (default) | [`Configure::file`] and [`Configure::env`]: settings from files, also while the program runs |
//! | `export` | `export`: the figures of all policies, for an exporter of one's own |
//! | `health` | `#[health_check]` and `health()`: checks in the background, liveness and readiness |
//! | `latency` | `configure().latency(true)`: how long the calls of guarded functions take, on hdrhistogram |
//! | `metrics`, `otel`, `prometheus` | `export::metrics` and so on: these figures for the `metrics` facade, for OpenTelemetry and for Prometheus |
//! | `schema` | `schema()`: a JSON schema of configuration files, for editors |
//! | `test-util` | `test_util`: a registry per tokio runtime, jitter that repeats, a recorder of events |
//! | `trace` | `configure().spans(true)`: a span for each call of a guarded function, and for each attempt |

// Expansions in this crate's own examples and tests find the runtime under its public name.
#[allow(unused_extern_crates, reason = "used by expansions only")]
extern crate self as resilient_runtime;

#[doc(hidden)]
pub mod __private;
mod budget;
mod call_each;
mod clock;
mod composed;
mod configure;
mod copies;
#[cfg(feature = "config")]
mod embedded;
mod error;
mod events;
#[cfg(feature = "export")]
pub mod export;
mod frame;
mod function;
mod gcra;
#[cfg(feature = "health")]
mod health;
mod held;
#[cfg(feature = "export")]
mod in_force;
mod inventory;
mod key;
mod key_of;
mod level;
mod names;
mod outcome;
mod patience;
mod policy;
mod priority;
mod progress;
#[cfg(test)]
mod prop;
mod random;
mod record;
mod registry;
#[cfg(feature = "schema")]
mod schema;
mod shelf;
#[cfg(feature = "cache")]
mod store;
mod sync;
mod tally;
#[cfg(feature = "test-util")]
pub mod test_util;
mod timer;
#[cfg(any(feature = "trace", feature = "latency"))]
mod watch;

#[cfg(feature = "cache")]
pub use resilient_macros::cache;
#[cfg(feature = "health")]
pub use resilient_macros::health_check;
pub use resilient_macros::{
    Classify, bulkhead, circuit_breaker, coalesce, fallback, hedge, load_shed, rate_limit, resilient, retry,
    timeout,
};
pub use resilient_settings::{Backoff, Jitter, Rate, Value};

pub use tracing::Level;

pub use crate::call_each::{CallEach, Calls};
#[cfg(feature = "config")]
pub use crate::configure::{ConfigChange, reload};
pub use crate::configure::{
    ConfigError, ConfigFault, Configure, Explained, Explanation, OnUnknownPolicy, Origin, Place, configure,
};
#[cfg(feature = "config")]
pub use crate::embedded::EmbeddedConfig;
pub use crate::error::{Fault, Rejected};
pub use crate::events::{Event, EventKind, HedgeCause, Missed, Recent, RetryEnd, Subscription};
pub use crate::frame::{Inherit, attempt, deadline, inherit};
pub use crate::function::{Function, Layer};
#[cfg(feature = "health")]
pub use crate::health::{
    CheckFailure, Health, HealthCheck, HealthCheckSnapshot, HealthError, HealthReport, HealthStatus,
    HealthTasks, PolicyHealth, Readiness, health,
};
pub use crate::inventory::{GuardedFunction, GuardedLayer, Inventory, inventory, print_inventory};
pub use crate::outcome::{Class, Classify};
pub use crate::policy::{BudgetSnapshot, Bulkhead, BulkheadPermit, BulkheadSnapshot, RetryBudget};
pub use crate::policy::{ByPriority, LoadShed, LoadShedPermit, LoadShedSnapshot, ShedAlgorithm, ShedMode};
#[cfg(feature = "cache")]
pub use crate::policy::{Cache, CacheSnapshot};
pub use crate::policy::{
    CircuitBreaker, CircuitBreakerSnapshot, CircuitCause, CircuitChange, CircuitPermit, CircuitState,
    CircuitWindow,
};
pub use crate::policy::{
    Coalesce, CoalesceSnapshot, Fallback, FallbackSnapshot, Hedge, HedgeSnapshot, HedgeWith, Mode, Nested,
    Retry, RetryCause, RetryReport, RetrySnapshot, RetryWith, Snapshot, Timeout, TimeoutSnapshot,
};
pub use crate::policy::{RateLimit, RateLimitSnapshot};
pub use crate::priority::{Priority, WithPriority, priority, with_priority};
pub use crate::registry::{Registry, registry, subscribe};
#[cfg(feature = "schema")]
pub use crate::schema::schema;
#[cfg(any(feature = "trace", feature = "latency"))]
pub use crate::watch::CallOutcome;
#[cfg(feature = "latency")]
pub use crate::watch::{Latency, LatencySnapshot};

/// The examples of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

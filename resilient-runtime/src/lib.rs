//! Resilience policies for async functions.

// Expansions in this crate's own examples and tests find the runtime under its public name.
#[allow(unused_extern_crates, reason = "used by expansions only")]
extern crate self as resilient_runtime;

#[doc(hidden)]
pub mod __private;
mod backoff;
mod budget;
mod clock;
mod configure;
mod error;
mod events;
mod frame;
mod level;
mod outcome;
mod policy;
mod random;
mod registry;
mod tally;
#[cfg(feature = "test-util")]
pub mod test_util;

pub use resilient_macros::{Classify, circuit_breaker, fallback, retry, timeout};

pub use crate::backoff::{Backoff, Jitter};
pub use crate::configure::{ConfigError, ConfigFault, Configure, configure};
pub use crate::error::{Fault, Rejected};
pub use crate::events::{Event, EventKind, Missed, RetryEnd, Subscription};
pub use crate::frame::{Inherit, attempt, deadline, inherit};
pub use crate::outcome::{Class, Classify};
pub use crate::policy::{
    CircuitBreaker, CircuitBreakerSnapshot, CircuitCause, CircuitPermit, CircuitState, CircuitWindow,
};
pub use crate::policy::{
    FallbackSnapshot, Retry, RetryCause, RetryReport, RetrySnapshot, RetryWith, Snapshot, Timeout,
    TimeoutSnapshot, Value,
};
pub use crate::registry::{Function, Layer, Registry, registry, subscribe};

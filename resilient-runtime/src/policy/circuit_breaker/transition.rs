//! The states of a breaker, what leads from one to another, and what is told about it.

use std::time::Duration;

/// What a breaker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitState {
    /// Calls pass and are counted.
    Closed,
    /// Calls are rejected until the open time is over.
    Open,
    /// A few calls at a time try whether the dependency is back.
    HalfOpen,
    /// Calls are rejected until someone resumes, by hand.
    ForcedOpen,
    /// Calls pass and nothing is counted, by hand.
    Disabled,
    /// Calls pass and it is counted what would have been rejected, by hand.
    Observing,
}

/// Why a breaker changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CircuitCause {
    /// So many failures in a row.
    FailureThreshold,
    /// So large a share of failures.
    FailureRate,
    /// So large a share of slow calls.
    SlowRate,
    /// The open time is over.
    OpenTimeElapsed,
    /// Enough probes succeeded.
    ProbesSucceeded,
    /// A probe failed, or was slow.
    ProbeFailed,
    /// Somebody said so.
    Manual,
}

/// One change of state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Transition {
    pub(super) from: CircuitState,
    pub(super) to: CircuitState,
    pub(super) cause: CircuitCause,
    /// It would have happened, had the breaker not only observed.
    pub(super) observed: bool,
    pub(super) figures: Figures,
}

/// What a decision rested on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Figures {
    pub(super) failures: u64,
    pub(super) calls: u64,
    pub(super) failure_rate: Option<f64>,
    pub(super) slow_rate: Option<f64>,
    /// How long it will be open.
    pub(super) open_for: Option<Duration>,
}

/// The state as of one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Report {
    pub(super) state: CircuitState,
    /// What it would be if it did not only observe.
    pub(super) would_be: CircuitState,
    pub(super) time_in_state: Duration,
    pub(super) retry_after: Option<Duration>,
    pub(super) figures: Figures,
}

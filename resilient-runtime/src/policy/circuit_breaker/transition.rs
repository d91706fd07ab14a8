//! The states of a breaker, what leads from one to another, and what is told about it.

use std::fmt;
use std::time::Duration;

use crate::events::EventKind;

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
    /// Calls pass and nothing is counted, by hand or by configuration.
    Disabled,
    /// Calls pass and would-be rejections are counted, by hand or by configuration.
    Observing,
}

impl CircuitState {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 6] =
        [Self::Closed, Self::Open, Self::HalfOpen, Self::ForcedOpen, Self::Disabled, Self::Observing];

    /// The state in one word, for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
            Self::Observing => "observing",
        }
    }
}

impl fmt::Display for CircuitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
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
    /// Its health check fails.
    HealthFailed,
    /// Its health check passes.
    HealthPassed,
    /// Its health check held it open, and is not heard of any more.
    HealthUnknown,
    /// Somebody said so.
    Manual,
    /// The configuration says so.
    Configured,
}

impl CircuitCause {
    /// The cause in one word, for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FailureThreshold => "failure_threshold",
            Self::FailureRate => "failure_rate",
            Self::SlowRate => "slow_rate",
            Self::OpenTimeElapsed => "open_time_elapsed",
            Self::ProbesSucceeded => "probes_succeeded",
            Self::ProbeFailed => "probe_failed",
            Self::HealthFailed => "health_failed",
            Self::HealthPassed => "health_passed",
            Self::HealthUnknown => "health_unknown",
            Self::Manual => "manual",
            Self::Configured => "configured",
        }
    }
}

impl fmt::Display for CircuitCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What somebody asks for by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Control {
    ForceOpen,
    Disable,
    Observe,
    /// Ends what was done by hand.
    Resume,
    /// Forgets everything learned, and ends what was done by hand.
    Reset,
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

impl From<Transition> for EventKind {
    fn from(transition: Transition) -> Self {
        let Transition { from, to, cause, observed, figures } = transition;
        let Figures { failures, calls, failure_rate, slow_rate, open_for } = figures;
        Self::StateChanged { from, to, cause, observed, failures, calls, failure_rate, slow_rate, open_for }
    }
}

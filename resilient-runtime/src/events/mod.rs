//! What happened to which policy: typed, through `tracing` and to subscribers.

mod bus;
mod diary;
mod settings;
mod subscription;
mod word;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

pub(crate) use self::bus::Bus;
pub use self::diary::Recent;
pub(crate) use self::settings::Settings;
pub use self::subscription::{Missed, Subscription};
use self::word::Word;
#[cfg(feature = "config")]
use crate::configure::{ConfigChange, ConfigError};
use crate::error::readable;
#[cfg(feature = "health")]
use crate::health::{CheckFailure, HealthStatus};
use crate::outcome::Class;
use crate::policy::{CircuitCause, CircuitState};
use crate::priority::Priority;

/// Stem and policy of what happens to the configuration itself.
pub(crate) const CONFIG: (&str, &str) = ("resilient", "config");

/// Something that happened to a policy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// Its number among all that were told or remembered, from 1.
    ///
    /// Two that happen at once may reach a subscriber in either order.
    pub seq: u64,
    /// Kind of policy, as in its attribute: `"retry"`, `"circuit_breaker"`.
    pub stem: &'static str,
    /// Name of the policy.
    pub policy: &'static str,
    /// Which of a keyed policy's keys.
    pub key: Option<Arc<str>>,
    /// When it happened.
    pub at: Instant,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// A call was refused before it ran.
    Rejected {
        /// Time until another call may pass, where it is known.
        retry_after: Option<Duration>,
    },
    /// A call passed only because the policy observes.
    WouldReject {
        /// Time until another call would have passed, where it is known.
        retry_after: Option<Duration>,
    },
    /// A circuit breaker changed its state.
    StateChanged {
        /// The state it was in.
        from: CircuitState,
        /// The state it is in now.
        to: CircuitState,
        /// Why.
        cause: CircuitCause,
        /// It only would have, since it observes.
        observed: bool,
        /// Failures the decision rests on.
        failures: u64,
        /// Calls the decision rests on.
        calls: u64,
        /// Share of failures in the window, where it was known.
        failure_rate: Option<f64>,
        /// Share of slow calls in the window, where it was known.
        slow_rate: Option<f64>,
        /// How long it stays open.
        open_for: Option<Duration>,
    },
    /// A load shedder refused a call, and had refused none of late.
    OverloadBegan {
        /// How important the call was.
        priority: Priority,
        /// It only would have, since it observes.
        observed: bool,
    },
    /// A load shedder no longer refuses calls.
    OverloadEnded {
        /// Calls it refused meanwhile.
        rejected: u64,
        /// It only would have, since it observed.
        observed: bool,
    },
    /// A call was given up after `limit`.
    TimedOut {
        /// Time the call was given.
        limit: Duration,
    },
    /// A call takes longer than `limit`, and goes on only because the timeout observes.
    WouldTimeOut {
        /// Time the call would have been given.
        limit: Duration,
    },
    /// A fallback answered instead of the call.
    FellBack {
        /// Whether the fallback's own answer was `Ok`.
        served: bool,
    },
    /// A value was answered although it is no longer fresh.
    ServedStale {
        /// Time since it was known.
        age: Duration,
    },
    /// A health check found out something else than before, or ended.
    #[cfg(feature = "health")]
    HealthChanged {
        /// What it found out before.
        from: HealthStatus,
        /// What it has found out now.
        to: HealthStatus,
        /// Why it failed, if it did.
        failure: Option<CheckFailure>,
    },
    /// A configuration was installed. Its events are of the stem `"resilient"` and the policy `"config"`.
    ConfigLoaded {
        /// Policies it holds for.
        policies: usize,
    },
    /// The files of the configuration were read anew and taken over.
    #[cfg(feature = "config")]
    ConfigReloaded {
        /// What changed.
        changes: Arc<[ConfigChange]>,
    },
    /// Files were read anew and refused; the settings before stay in force.
    #[cfg(feature = "config")]
    ConfigRefused {
        /// What is wrong with them.
        error: Arc<ConfigError>,
    },
    /// The leader of a flight went, and one that waited runs instead.
    HandedOver,
    /// An attempt failed and another one follows.
    Retrying {
        /// Number of the attempt that failed, from 1.
        attempt: u32,
        /// Wait before the next one.
        delay: Duration,
        /// Class of the error, or nothing for a value that is not wanted.
        class: Option<Class>,
    },
    /// A retry's first attempt failed inside another's attempt: their attempts multiply.
    Nested,
    /// A further attempt starts beside those that run.
    Hedging {
        /// Its number, from 2.
        attempt: u32,
        /// Why it starts.
        cause: HedgeCause,
    },
    /// A further attempt had the answer.
    HedgeWon {
        /// Its number, from 2.
        attempt: u32,
    },
    /// A further attempt was due and did not start.
    NotHedged {
        /// Why it did not.
        reason: RetryEnd,
    },
    /// An attempt failed and no other follows.
    GaveUp {
        /// Attempts made, the first included.
        attempts: u32,
        /// Why no other follows.
        reason: RetryEnd,
        /// Class of the error, or nothing for a value that is not wanted.
        class: Option<Class>,
    },
}

/// Why a further attempt starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HedgeCause {
    /// The ones that run are slow.
    Slow,
    /// One of them failed.
    Failed,
}

/// Why a failed attempt was the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryEnd {
    /// All attempts are used up.
    Exhausted,
    /// Another attempt cannot mend the error.
    NotRetryable,
    /// The wait would reach the deadline.
    Deadline,
    /// The budget does not pay for it.
    Budget,
    /// The wait asked for was longer than allowed, or of unknown length.
    RetryAfter,
    /// The attempt was part of another retry's, which may make the next one.
    Once,
}

impl RetryEnd {
    /// The reason in one word, for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.word().text()
    }

    const fn word(self) -> Word {
        match self {
            Self::Exhausted => Word::Exhausted,
            Self::NotRetryable => Word::NotRetryable,
            Self::Deadline => Word::Deadline,
            Self::Budget => Word::Budget,
            Self::RetryAfter => Word::RetryAfter,
            Self::Once => Word::Once,
        }
    }
}

impl fmt::Display for RetryEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl EventKind {
    /// The event in one word, for logs, metrics and [`Configure::log`](crate::Configure::log).
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        self.word().text()
    }

    #[inline]
    const fn word(&self) -> Word {
        match self {
            Self::Rejected { .. } => Word::Rejected,
            Self::WouldReject { .. } => Word::WouldReject,
            Self::StateChanged { observed: true, .. } => Word::WouldChangeState,
            Self::StateChanged { to, .. } => match to {
                CircuitState::Closed => Word::Closed,
                CircuitState::Open => Word::Opened,
                CircuitState::HalfOpen => Word::HalfOpened,
                CircuitState::ForcedOpen => Word::ForcedOpen,
                CircuitState::Disabled => Word::Disabled,
                CircuitState::Observing => Word::Observing,
            },
            Self::OverloadBegan { .. } => Word::OverloadBegan,
            Self::OverloadEnded { .. } => Word::OverloadEnded,
            Self::TimedOut { .. } => Word::TimedOut,
            Self::WouldTimeOut { .. } => Word::WouldTimeOut,
            Self::FellBack { .. } => Word::FellBack,
            Self::ServedStale { .. } => Word::ServedStale,
            #[cfg(feature = "health")]
            Self::HealthChanged { to: HealthStatus::Up, .. } => Word::HealthUp,
            #[cfg(feature = "health")]
            Self::HealthChanged { to: HealthStatus::Down, .. } => Word::HealthDown,
            #[cfg(feature = "health")]
            Self::HealthChanged { .. } => Word::HealthUnknown,
            Self::ConfigLoaded { .. } => Word::ConfigLoaded,
            #[cfg(feature = "config")]
            Self::ConfigReloaded { .. } => Word::ConfigReloaded,
            #[cfg(feature = "config")]
            Self::ConfigRefused { .. } => Word::ConfigRefused,
            Self::HandedOver => Word::HandedOver,
            Self::Retrying { .. } => Word::Retrying,
            Self::Nested => Word::Nested,
            Self::Hedging { .. } => Word::Hedging,
            Self::HedgeWon { .. } => Word::HedgeWon,
            Self::NotHedged { reason: RetryEnd::Budget } => Word::HedgeBudget,
            Self::NotHedged { reason } | Self::GaveUp { reason, .. } => reason.word(),
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected { retry_after: None } => write!(f, "call rejected"),
            Self::Rejected { retry_after: Some(after) } => {
                write!(f, "call rejected, next one in {:?}", readable(*after))
            }
            Self::WouldReject { .. } => write!(f, "call would have been rejected"),
            Self::StateChanged { from, to, cause, observed, failures, calls, .. } => {
                let would = if *observed { "would go" } else { "went" };
                write!(f, "{would} from {from} to {to} ({cause}")?;
                match calls {
                    0 => f.write_str(")"),
                    _ => write!(f, ", {failures} of {calls} calls failed)"),
                }
            }
            Self::OverloadBegan { priority, observed: false } => {
                write!(f, "overloaded, refuses {priority} calls")
            }
            Self::OverloadBegan { priority, .. } => write!(f, "overloaded, would refuse {priority} calls"),
            Self::OverloadEnded { rejected, observed } => {
                let were = if *observed { "would have been" } else { "were" };
                write!(f, "no longer overloaded, {rejected} calls {were} rejected")
            }
            Self::TimedOut { limit } => write!(f, "call given up after {limit:?}"),
            Self::WouldTimeOut { limit } => write!(f, "call would have been given up after {limit:?}"),
            Self::FellBack { served: true } => write!(f, "fallback answered"),
            Self::FellBack { served: false } => write!(f, "fallback failed too"),
            Self::ServedStale { age } => write!(f, "answered with a value {:?} old", readable(*age)),
            #[cfg(feature = "health")]
            Self::HealthChanged { from, to, failure: None } => write!(f, "was {from}, is {to}"),
            #[cfg(feature = "health")]
            Self::HealthChanged { from, to, failure: Some(failure) } => {
                write!(f, "was {from}, is {to} ({failure})")
            }
            Self::ConfigLoaded { policies } => write!(f, "installed for {policies} policies"),
            #[cfg(feature = "config")]
            Self::ConfigReloaded { changes } => {
                write!(f, "read anew, {} settings changed", changes.len())?;
                changes.iter().try_for_each(|change| write!(f, "\n  {change}"))
            }
            #[cfg(feature = "config")]
            Self::ConfigRefused { error } => error.fmt(f),
            Self::HandedOver => write!(f, "the call that ran for others has gone, another one runs"),
            Self::Retrying { attempt, delay, class: Some(class) } => {
                write!(f, "attempt {attempt} failed ({}), next one in {:?}", class.as_str(), readable(*delay))
            }
            Self::Retrying { attempt, delay, class: None } => {
                write!(f, "attempt {attempt} gave an unwanted value, next one in {:?}", readable(*delay))
            }
            Self::Nested => f.write_str("runs inside an attempt of another retry"),
            Self::Hedging { attempt, cause: HedgeCause::Slow } => {
                write!(f, "attempt {attempt} starts beside slow ones")
            }
            Self::Hedging { attempt, cause: HedgeCause::Failed } => {
                write!(f, "attempt {attempt} starts in place of a failed one")
            }
            Self::HedgeWon { attempt } => write!(f, "attempt {attempt} had the answer"),
            Self::NotHedged { reason } => write!(f, "no further attempt starts ({reason})"),
            Self::GaveUp { attempts, reason, .. } => write!(f, "attempt {attempts} was the last ({reason})"),
        }
    }
}

//! What happened to which policy: typed, through `tracing` and to subscribers.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::Instant;
use tracing::Level;

use crate::clock;
use crate::error::readable;
use crate::outcome::Class;
use crate::policy::{CircuitCause, CircuitState};
use crate::priority::Priority;

/// Events a slow subscriber may lag behind before it misses some.
const BACKLOG: usize = 1024;

/// Something that happened to a policy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
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
    /// A call passed only because the breaker observes.
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
    },
    /// A load shedder no longer refuses calls.
    OverloadEnded {
        /// Calls it refused meanwhile.
        rejected: u64,
    },
    /// A call was given up after `limit`.
    TimedOut {
        /// Time the call was given.
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
    /// The first attempt of a retry failed inside an attempt of another retry: their attempts multiply.
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
    /// The call was told to wait longer than allowed, or refused for nobody knows how long.
    RetryAfter,
    /// The attempt was part of another retry's, which may make the next one.
    Once,
}

impl RetryEnd {
    /// The reason in one word, for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::NotRetryable => "not_retryable",
            Self::Deadline => "deadline",
            Self::Budget => "budget",
            Self::RetryAfter => "retry_after",
            Self::Once => "once",
        }
    }
}

impl EventKind {
    /// The event in one word, for logs and metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Rejected { .. } => "rejected",
            Self::WouldReject { .. } => "would_reject",
            Self::StateChanged { observed: true, .. } => "would_change_state",
            Self::StateChanged { to, .. } => match to {
                CircuitState::Closed => "closed",
                CircuitState::Open => "opened",
                CircuitState::HalfOpen => "half_opened",
                CircuitState::ForcedOpen => "forced_open",
                CircuitState::Disabled => "disabled",
                CircuitState::Observing => "observing",
            },
            Self::OverloadBegan { .. } => "overload_began",
            Self::OverloadEnded { .. } => "overload_ended",
            Self::TimedOut { .. } => "timed_out",
            Self::FellBack { .. } => "fell_back",
            Self::ServedStale { .. } => "served_stale",
            Self::HandedOver => "handed_over",
            Self::Retrying { .. } => "retrying",
            Self::Nested => "nested",
            Self::Hedging { .. } => "hedging",
            Self::HedgeWon { .. } => "hedge_won",
            Self::NotHedged { reason } | Self::GaveUp { reason, .. } => reason.as_str(),
        }
    }

    const fn level(&self) -> Level {
        match self {
            Self::StateChanged { to: CircuitState::Open | CircuitState::ForcedOpen, .. }
            | Self::OverloadBegan { .. } => Level::WARN,
            Self::StateChanged { .. } | Self::OverloadEnded { .. } => Level::INFO,
            Self::WouldReject { .. }
            | Self::Rejected { .. }
            | Self::TimedOut { .. }
            | Self::FellBack { .. }
            | Self::ServedStale { .. }
            | Self::HandedOver
            | Self::Retrying { .. }
            | Self::Nested
            | Self::Hedging { .. }
            | Self::HedgeWon { .. }
            | Self::NotHedged { .. }
            | Self::GaveUp { .. } => Level::DEBUG,
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
            Self::OverloadBegan { priority } => write!(f, "overloaded, refuses {priority} calls"),
            Self::OverloadEnded { rejected } => {
                write!(f, "no longer overloaded, {rejected} calls were rejected")
            }
            Self::TimedOut { limit } => write!(f, "call given up after {limit:?}"),
            Self::FellBack { served: true } => write!(f, "fallback answered"),
            Self::FellBack { served: false } => write!(f, "fallback failed too"),
            Self::ServedStale { age } => write!(f, "answered with a value {:?} old", readable(*age)),
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
            Self::NotHedged { reason } => write!(f, "no further attempt starts ({})", reason.as_str()),
            Self::GaveUp { attempts, reason, .. } => {
                write!(f, "attempt {attempts} was the last ({})", reason.as_str())
            }
        }
    }
}

/// Where the events of one registry go.
pub(crate) struct Bus {
    listeners: AtomicUsize,
    channel: OnceLock<broadcast::Sender<Event>>,
    #[cfg(feature = "test-util")]
    pub(crate) recorders: std::sync::Mutex<Vec<std::sync::Weak<crate::test_util::Tape>>>,
}

impl Bus {
    pub(crate) const fn new() -> Self {
        Self {
            listeners: AtomicUsize::new(0),
            channel: OnceLock::new(),
            #[cfg(feature = "test-util")]
            recorders: std::sync::Mutex::new(Vec::new()),
        }
    }

    /// Raises an event; nothing is built when nobody listens.
    pub(crate) fn emit(
        &'static self,
        stem: &'static str,
        policy: &'static str,
        key: Option<&Arc<str>>,
        kind: EventKind,
    ) {
        let level = kind.level();
        log(level, stem, policy, key, &kind);
        if self.listeners.load(Relaxed) == 0 {
            return;
        }
        let event = Event { stem, policy, key: key.cloned(), at: clock::now(), kind };
        #[cfg(feature = "test-util")]
        crate::test_util::record_on(self, &event);
        if let Some(channel) = self.channel.get() {
            // Fails only when the last subscriber has just left.
            let _ = channel.send(event);
        }
    }

    pub(crate) fn subscribe(&'static self) -> Subscription {
        let channel = self.channel.get_or_init(|| broadcast::channel(BACKLOG).0);
        let receiver = channel.subscribe();
        self.listen();
        Subscription { receiver, bus: self }
    }

    pub(crate) fn listen(&self) {
        self.listeners.fetch_add(1, Relaxed);
    }

    pub(crate) fn unlisten(&self) {
        self.listeners.fetch_sub(1, Relaxed);
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("listeners", &self.listeners).finish_non_exhaustive()
    }
}

fn log(level: Level, stem: &'static str, policy: &'static str, key: Option<&Arc<str>>, kind: &EventKind) {
    macro_rules! at {
        ($level:expr) => {
            tracing::event!(
                target: "resilient",
                $level,
                stem,
                policy,
                key = key.map(|key| &**key),
                event = kind.as_str(),
                "{stem} `{policy}`: {kind}"
            )
        };
    }
    match level {
        Level::WARN => at!(Level::WARN),
        Level::INFO => at!(Level::INFO),
        _ => at!(Level::DEBUG),
    }
}

/// A stream of events, from the moment it was made.
#[derive(Debug)]
pub struct Subscription {
    receiver: broadcast::Receiver<Event>,
    bus: &'static Bus,
}

/// A subscriber was too slow and missed this many events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Missed {
    /// How many were missed.
    pub events: u64,
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events were missed", self.events)
    }
}

impl std::error::Error for Missed {}

impl Subscription {
    /// The next event.
    ///
    /// # Errors
    ///
    /// [`Missed`] when this reader was too slow; the call after it goes on with the oldest event
    /// still there.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    pub async fn recv(&mut self) -> Result<Event, Missed> {
        match self.receiver.recv().await {
            Ok(event) => Ok(event),
            Err(RecvError::Lagged(events)) => Err(Missed { events }),
            // The registry owns the sender and lives as long as the program.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.bus.unlisten();
    }
}

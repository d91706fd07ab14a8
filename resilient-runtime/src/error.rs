//! Why a call did not run or was given up, and how that travels beside the user's error.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use crate::priority::Priority;

/// A policy's refusal: the call did not run, or was given up.
///
/// ```
/// use resilient_runtime::Rejected;
///
/// #[derive(Debug)]
/// enum PaymentError {
///     Declined,
///     Unavailable(Rejected),
/// }
///
/// impl From<Rejected> for PaymentError {
///     fn from(rejected: Rejected) -> Self {
///         Self::Unavailable(rejected)
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejected {
    /// The circuit breaker `name` lets nothing through.
    CircuitOpen {
        /// Name of the breaker.
        name: &'static str,
        /// Time until the next probe, where it is known.
        retry_after: Option<Duration>,
    },
    /// The call was given up after `limit`.
    TimedOut {
        /// Name of the timeout.
        name: &'static str,
        /// Time the call was given.
        limit: Duration,
    },
    /// The bulkhead `name` has no place left.
    BulkheadFull {
        /// Name of the bulkhead.
        name: &'static str,
    },
    /// There are too many calls for the load shedder `name` to admit this one.
    Overloaded {
        /// Name of the load shedder.
        name: &'static str,
        /// How important the call was.
        priority: Priority,
    },
    /// The rate limit `name` has no permit left.
    RateLimited {
        /// Name of the rate limit.
        name: &'static str,
        /// Time until the next permit, where it is known.
        retry_after: Option<Duration>,
    },
}

impl Rejected {
    /// Name of the policy that refused.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CircuitOpen { name, .. }
            | Self::TimedOut { name, .. }
            | Self::BulkheadFull { name }
            | Self::Overloaded { name, .. }
            | Self::RateLimited { name, .. } => name,
        }
    }

    /// The refusal in one word, for logs and metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::CircuitOpen { .. } => "circuit_open",
            Self::TimedOut { .. } => "timed_out",
            Self::BulkheadFull { .. } => "bulkhead_full",
            Self::Overloaded { .. } => "overloaded",
            Self::RateLimited { .. } => "rate_limited",
        }
    }

    /// Time after which another call may pass, where it is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::CircuitOpen { retry_after, .. } | Self::RateLimited { retry_after, .. } => *retry_after,
            Self::TimedOut { .. } | Self::BulkheadFull { .. } | Self::Overloaded { .. } => None,
        }
    }

    /// The refusal inside `error`, found along its source chain.
    ///
    /// ```
    /// # use resilient_runtime::Rejected;
    /// # use std::time::Duration;
    /// let rejected = Rejected::TimedOut { name: "quote", limit: Duration::from_secs(2) };
    /// let boxed: Box<dyn std::error::Error> = rejected.clone().into();
    /// assert_eq!(Rejected::find(boxed.as_ref()), Some(&rejected));
    /// ```
    #[must_use]
    pub fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(rejected) = error.downcast_ref() {
                return Some(rejected);
            }
            // An `io::Error` shows the source of what it carries, not what it carries.
            if let Some(rejected) = error.downcast_ref::<io::Error>().and_then(inside_io) {
                return Some(rejected);
            }
            next = error.source();
        }
        None
    }
}

pub(crate) fn inside_io(error: &io::Error) -> Option<&Rejected> {
    error.get_ref().and_then(|inner| Rejected::find(inner))
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CircuitOpen { name, .. } => write!(f, "circuit breaker `{name}` is open")?,
            Self::TimedOut { name, limit } => write!(f, "`{name}` timed out after {limit:?}")?,
            Self::BulkheadFull { name } => write!(f, "bulkhead `{name}` is full")?,
            Self::Overloaded { name, priority } => {
                write!(f, "load shedder `{name}` admits no {priority} call now")?;
            }
            Self::RateLimited { name, .. } => write!(f, "rate limit `{name}` is used up")?,
        }
        match self.retry_after() {
            Some(after) => write!(f, ", try again in {:?}", readable(after)),
            None => Ok(()),
        }
    }
}

/// Rounded up to what a person reads: milliseconds from a second on, else microseconds.
pub(crate) fn readable(time: Duration) -> Duration {
    let unit = if time < Duration::from_secs(1) { 1_000 } else { 1_000_000 };
    let nanos = time.as_nanos().div_ceil(unit).saturating_mul(unit);
    u64::try_from(nanos).map_or(time, Duration::from_nanos)
}

impl Error for Rejected {}

impl From<Rejected> for io::Error {
    fn from(rejected: Rejected) -> Self {
        let kind = match rejected {
            Rejected::TimedOut { .. } => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, rejected)
    }
}

impl From<Rejected> for String {
    fn from(rejected: Rejected) -> Self {
        rejected.to_string()
    }
}

/// The user's error, or a policy's refusal.
///
/// An error type that is neither `From<Rejected>` nor [`Classify`](crate::Classify) is lifted
/// once with `.map_err(Fault::Failed)`.
///
/// ```
/// use resilient_runtime::{Fault, timeout};
///
/// #[timeout("1s")]
/// async fn parse(text: &str) -> Result<u32, Fault<std::num::ParseIntError>> {
///     text.parse().map_err(Fault::Failed)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way for a call to end in an error")]
pub enum Fault<E> {
    /// The call ran and failed.
    Failed(E),
    /// A policy refused the call or gave it up.
    Rejected(Rejected),
}

impl<E> Fault<E> {
    /// The one error type that holds both.
    pub fn into_error(self) -> E
    where
        E: From<Rejected>,
    {
        match self {
            Self::Failed(error) => error,
            Self::Rejected(rejected) => rejected.into(),
        }
    }

    /// The user's error, if the call ran and failed.
    pub const fn failed(&self) -> Option<&E> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Rejected(_) => None,
        }
    }

    /// The refusal, if a policy refused the call or gave it up.
    pub const fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Failed(_) => None,
            Self::Rejected(rejected) => Some(rejected),
        }
    }
}

impl<E> From<Rejected> for Fault<E> {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl<E: fmt::Display> fmt::Display for Fault<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Rejected(rejected) => rejected.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for Fault<E> {
    /// The error or the refusal itself, whose text is the fault's own.
    // A report of the whole chain says it twice. Only so do `Rejected::find`, `Classify` and whoever looks for
    // their own type see through a box, and a fault that is shown alone says what it is.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Rejected(rejected) => Some(rejected),
        }
    }
}

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
use std::time::Duration;

pub use self::budget::{BudgetSnapshot, RetryBudget};
pub use self::bulkhead::{Bulkhead, BulkheadPermit, BulkheadSnapshot};
#[cfg(feature = "cache")]
pub use self::cache::{Cache, CacheSnapshot};
pub use self::circuit_breaker::{
    CircuitBreaker, CircuitBreakerSnapshot, CircuitCause, CircuitPermit, CircuitState, CircuitWindow,
};
pub use self::coalesce::{Coalesce, CoalesceSnapshot};
pub use self::fallback::FallbackSnapshot;
#[cfg(feature = "cache")]
pub use self::fallback::recall::CachedFallback;
pub use self::hedge::{Hedge, HedgeSnapshot};
pub use self::load_shed::{ByPriority, LoadShed, LoadShedPermit, LoadShedSnapshot, ShedAlgorithm, ShedMode};
pub use self::rate_limit::{RateLimit, RateLimitSnapshot};
pub use self::retry::{Nested, Retry, RetryCause, RetryReport, RetrySnapshot, RetryWith};
pub use self::timeout::{Timeout, TimeoutSnapshot};

use crate::rate::Rate;

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
            Self::Budget(_) => budget::STEM.name,
            Self::Bulkhead(_) => bulkhead::STEM.name,
            #[cfg(feature = "cache")]
            Self::Cache(_) => cache::STEM.name,
            Self::CircuitBreaker(_) => circuit_breaker::STEM.name,
            Self::Coalesce(_) => coalesce::STEM.name,
            Self::Fallback(_) => fallback::STEM.name,
            Self::Hedge(_) => hedge::STEM.name,
            Self::LoadShed(_) => load_shed::STEM.name,
            Self::RateLimit(_) => rate_limit::STEM.name,
            Self::Retry(_) => retry::STEM.name,
            Self::Timeout(_) => timeout::STEM.name,
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
            Self::Hedge(snapshot) => snapshot.name,
            Self::LoadShed(snapshot) => snapshot.name,
            Self::RateLimit(snapshot) => snapshot.name,
            Self::Retry(snapshot) => snapshot.name,
            Self::Timeout(snapshot) => snapshot.name,
        }
    }
}

/// One kind of policy: what its attribute, setters and configuration may say.
#[derive(Debug)]
pub(crate) struct Stem {
    /// Word that attribute, file and configuration table share.
    pub(crate) name: &'static str,
    pub(crate) keys: &'static [Key],
    /// Groups of keys that choose between modes: a layer that writes into one side of a pair
    /// takes the other side's weaker values away.
    pub(crate) excludes: &'static [(&'static [&'static str], &'static [&'static str])],
    /// Complaints about keys that do not go together, after all layers are merged.
    pub(crate) check: fn(&Written) -> Vec<Complaint>,
    /// Longest that the layers below may take, if this kind of policy bounds them.
    pub(crate) limit: fn(&Written) -> Option<Duration>,
    /// Least that it waits between runs of the layers below, if it runs them again.
    pub(crate) least_waits: fn(&Written) -> Option<Duration>,
    pub(crate) create: fn(&'static str, &Written) -> &'static dyn Policy,
}

/// A policy as the registry holds it.
pub(crate) trait Policy: Any + Send + Sync + fmt::Debug {
    /// Takes over new settings and keeps what was learned.
    fn apply(&self, written: &Written);
    fn snapshot(&self) -> Snapshot;
    /// Back to the state of the first day.
    fn reset(&self);
}

/// A policy type that an annotated function finds by name.
pub(crate) trait Named: Policy {
    const STEM: &'static Stem;

    fn found(&'static self) -> Found;
    /// The policy found, unless it is of another kind.
    fn known(found: Found, otherwise: impl FnOnce() -> &'static Self) -> &'static Self;
}

macro_rules! named {
    ($($(#[$on:meta])* $kind:ident($policy:ty) is $stem:path,)*) => {
        /// A policy as an annotated function keeps it. One type for all kinds, because the compiler checks
        /// the static of each function anew.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Found {
            $($(#[$on])* $kind(&'static $policy),)*
        }

        $($(#[$on])* impl Named for $policy {
            const STEM: &'static Stem = &$stem;

            #[inline]
            fn found(&'static self) -> Found {
                Found::$kind(self)
            }

            #[inline]
            fn known(found: Found, otherwise: impl FnOnce() -> &'static Self) -> &'static Self {
                match found {
                    Found::$kind(policy) => policy,
                    _ => otherwise(),
                }
            }
        })*

        /// Every kind of policy there is.
        pub(crate) static STEMS: &[&Stem] = &[$($(#[$on])* &$stem),*];
    };
}

named! {
    Budget(budget::Purse) is budget::STEM,
    Bulkhead(bulkhead::Bulkhead) is bulkhead::STEM,
    #[cfg(feature = "cache")]
    Cache(cache::Cache) is cache::STEM,
    CircuitBreaker(circuit_breaker::CircuitBreaker) is circuit_breaker::STEM,
    Coalesce(coalesce::Coalesce) is coalesce::STEM,
    Fallback(fallback::FallbackPolicy) is fallback::STEM,
    Hedge(hedge::Hedge) is hedge::STEM,
    LoadShed(load_shed::LoadShed) is load_shed::STEM,
    RateLimit(rate_limit::RateLimit) is rate_limit::STEM,
    Retry(retry::RetryPolicy) is retry::STEM,
    Timeout(timeout::TimeoutPolicy) is timeout::STEM,
}

/// What is wrong with a setting, and with which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) key: &'static str,
    pub(crate) message: String,
}

impl Complaint {
    pub(crate) fn new(key: &'static str, message: impl Into<String>) -> Self {
        Self { key, message: message.into() }
    }
}

/// One key of a stem.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// What may stand behind a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// A whole number, at least this.
    Count(u64),
    /// A whole number from 1 up to this.
    CountTo(u64),
    /// Above 0, at most 1.
    Ratio,
    /// At least 1.
    Factor,
    /// At least this long, at most [`LONGEST`].
    Time(Duration),
    Rate,
    /// A number of calls up to this, or a time.
    CountOrTime(u64),
    /// At most [`LONGEST`], or the share of calls that takes less.
    TimeOrQuantile,
    Word(&'static [&'static str]),
    /// The name of another policy: the one that is meant where none is written, and a word for none at all.
    Name {
        otherwise: &'static str,
        none: &'static str,
    },
}

/// The longest time a policy can be told to take: "30m" for "30M" is likelier than a month.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

const SHORTEST: Duration = Duration::from_nanos(1);

impl Kind {
    pub(crate) const POSITIVE_TIME: Self = Self::Time(SHORTEST);

    /// Says what is wrong with `value`, if something is.
    pub(crate) fn complain(self, value: Value) -> Option<String> {
        match (self, value) {
            (Self::Count(least), Value::Count(n)) if n < least => Some(format!("{n} is less than {least}")),
            (Self::Count(_), Value::Count(n)) if n > u64::from(u32::MAX) => {
                Some(format!("{n} is more than {}", u32::MAX))
            }
            (Self::CountTo(_), Value::Count(0)) => Some("0 is less than 1".into()),
            (Self::CountTo(most) | Self::CountOrTime(most), Value::Count(n)) if n > most => {
                Some(format!("{n} is more than {most}"))
            }
            (Self::CountOrTime(_), Value::Count(0)) => Some("0 calls are no window".into()),
            (Self::CountOrTime(_), Value::Time(time)) => Self::POSITIVE_TIME.complain(Value::Time(time)),
            (Self::TimeOrQuantile, Value::Time(time)) => {
                Self::Time(Duration::ZERO).complain(Value::Time(time))
            }
            (Self::TimeOrQuantile, Value::Number(n)) if !(0.5..=0.999).contains(&n) => {
                Some(format!("{n} is no share from 0.5 to 0.999; write 0.95 for p95"))
            }
            (Self::Ratio, Value::Number(n)) if n > 1.0 => {
                Some(format!("{n} is more than 1; write 0.5 for 50 %"))
            }
            (Self::Ratio, Value::Number(n)) if n.is_nan() || n <= 0.0 => Some(format!("{n} is not above 0")),
            (Self::Factor, Value::Number(n)) if !(1.0..=f64::MAX).contains(&n) => {
                Some(format!("{n} is not a number from 1 on"))
            }
            (Self::Time(least), Value::Time(time)) if time < least => Some(format!("{time:?} is too short")),
            (Self::Time(_), Value::Time(time)) if time > LONGEST => {
                Some(format!("{time:?} is more than 24 h"))
            }
            (Self::Rate, Value::Rate(rate)) => rate.fault().map(|fault| format!("{rate} {fault}")),
            (Self::Word(words), Value::Word(word)) if !words.contains(&word) => {
                Some(format!("`{word}` is none of `{}`", words.join("`, `")))
            }
            (Self::Name { .. }, Value::Word("")) => Some("a name cannot be empty".into()),
            _ => None,
        }
    }

    /// The policy named by a value, or by its absence.
    pub(crate) fn referred(self, value: Option<Value>) -> Option<&'static str> {
        match (self, value) {
            (Self::Name { otherwise, .. }, None) => Some(otherwise),
            (Self::Name { none, .. }, Some(Value::Word(name))) if name != none => Some(name),
            _ => None,
        }
    }
}

/// What a key was set to.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A whole number.
    Count(u64),
    /// A ratio or a factor.
    Number(f64),
    /// A duration.
    Time(Duration),
    /// A number in a time.
    Rate(Rate),
    /// A word, such as a strategy or a name.
    Word(&'static str),
    /// Source text of a predicate, a hook, a key or a fallback: shown, never configured.
    Code(&'static str),
}

impl Value {
    /// A whole number.
    #[must_use]
    pub const fn count(n: u32) -> Self {
        Self::Count(n as u64)
    }

    /// A ratio or a factor.
    #[must_use]
    pub const fn number(n: f64) -> Self {
        Self::Number(n)
    }

    /// A duration.
    #[must_use]
    pub const fn time(time: Duration) -> Self {
        Self::Time(time)
    }

    /// A number in a time.
    #[must_use]
    pub const fn rate(rate: Rate) -> Self {
        Self::Rate(rate)
    }

    /// A duration in nanoseconds.
    #[must_use]
    pub const fn nanos(nanos: u64) -> Self {
        Self::Time(Duration::from_nanos(nanos))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(n) => n.fmt(f),
            Self::Number(n) => n.fmt(f),
            Self::Time(time) => write!(f, "\"{}\"", humantime::format_duration(*time)),
            Self::Rate(rate) => write!(f, "\"{rate}\""),
            Self::Word(word) => write!(f, "\"{word}\""),
            Self::Code(code) => f.write_str(code),
        }
    }
}

/// Keys one stem can have.
pub(crate) const MAX_KEYS: usize = 16;

/// Values of a stem's keys, in the order of its table; what nobody wrote is missing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Written {
    values: [Option<Value>; MAX_KEYS],
}

impl Written {
    pub(crate) const NOTHING: Self = Self { values: [None; MAX_KEYS] };

    /// Setters keep whatever they are given: `install` reports what is out of range, and code
    /// by hand gets the nearest value that makes sense when the settings are read.
    pub(crate) const fn set(mut self, key: usize, value: Value) -> Self {
        self.values[key] = Some(value);
        self
    }

    pub(crate) fn put(&mut self, key: usize, value: Option<Value>) {
        self.values[key] = value;
    }

    pub(crate) const fn get(&self, key: usize) -> Option<Value> {
        self.values[key]
    }

    pub(crate) const fn count(&self, key: usize) -> Option<u64> {
        match self.values[key] {
            Some(Value::Count(n)) => Some(n),
            _ => None,
        }
    }

    pub(crate) const fn number(&self, key: usize) -> Option<f64> {
        match self.values[key] {
            Some(Value::Number(n)) => Some(n),
            _ => None,
        }
    }

    pub(crate) const fn time(&self, key: usize) -> Option<Duration> {
        match self.values[key] {
            Some(Value::Time(time)) => Some(time),
            _ => None,
        }
    }

    pub(crate) const fn rate(&self, key: usize) -> Option<Rate> {
        match self.values[key] {
            Some(Value::Rate(rate)) => Some(rate),
            _ => None,
        }
    }

    pub(crate) const fn word(&self, key: usize) -> Option<&'static str> {
        match self.values[key] {
            Some(Value::Word(word)) => Some(word),
            _ => None,
        }
    }
}

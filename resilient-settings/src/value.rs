//! What keys there are, what may stand behind them, and what was written there.

use std::fmt;
use std::time::Duration;

use crate::Rate;
use crate::literal::LONGEST;

/// What is wrong with a setting, and with which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The key.
    pub key: &'static str,
    /// What is wrong with it.
    pub message: String,
    /// The keys that it does not go together with, or does not do without.
    pub others: Vec<&'static str>,
}

impl Complaint {
    /// A complaint about `key` beside the `others`.
    pub fn new(key: &'static str, others: &[&'static str], message: impl Into<String>) -> Self {
        Self { key, message: message.into(), others: others.to_vec() }
    }
}

/// One key of a stem.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// How it is written.
    pub name: &'static str,
    /// What may stand behind it.
    pub kind: Kind,
}

/// What may stand behind a key.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// A whole number, at least this.
    Count(u64),
    /// A whole number from 1 up to this.
    CountTo(u64),
    /// What a file is written for: from 1 up to what is known.
    Version(u64),
    /// Above 0, at most 1.
    Ratio,
    /// At least 1.
    Factor,
    /// At least this long, at most [`LONGEST`].
    Time(Duration),
    /// At least this long, at most [`LONGEST`], or this word.
    TimeOr(Duration, &'static str),
    /// A number in a time.
    Rate,
    /// A number of calls up to this, or a time.
    CountOrTime(u64),
    /// At most [`LONGEST`], or the share of calls that takes less.
    TimeOrQuantile,
    /// Yes or no.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The name of another policy.
    ///
    /// It comes with the one that is meant where none is written, and a word for none at all.
    Name {
        /// The one that is meant where none is written.
        otherwise: &'static str,
        /// The word for none at all.
        none: &'static str,
    },
}

const SHORTEST: Duration = Duration::from_nanos(1);

impl Kind {
    /// Any time but none.
    pub const POSITIVE_TIME: Self = Self::Time(SHORTEST);

    /// Says what is wrong with `value`, if something is.
    #[must_use]
    pub fn complain(self, value: Value) -> Option<String> {
        match (self, value) {
            (Self::Count(least), Value::Count(n)) if n < least => Some(format!("{n} is less than {least}")),
            (Self::Count(_), Value::Count(n)) if n > u64::from(u32::MAX) => {
                Some(format!("{n} is more than {}", u32::MAX))
            }
            (Self::Version(known), Value::Count(n)) if n > known => Some(format!(
                "this is for a newer version of the program, which knows the settings of version {known}"
            )),
            (Self::CountTo(_) | Self::Version(_), Value::Count(0)) => Some("0 is less than 1".into()),
            (Self::CountTo(most) | Self::CountOrTime(most), Value::Count(n)) if n > most => {
                Some(format!("{n} is more than {most}"))
            }
            (Self::CountOrTime(_), Value::Count(0)) => Some("0 calls are no window".into()),
            (Self::CountOrTime(_), Value::Time(time)) => Self::POSITIVE_TIME.complain(Value::Time(time)),
            (Self::TimeOr(least, _), Value::Time(time)) => Self::Time(least).complain(Value::Time(time)),
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
            (Self::Time(least), Value::Time(time)) if time < least => Some(match least {
                SHORTEST => format!("{time:?} is too short"),
                _ => format!("{time:?} is too short: the least is {least:?}"),
            }),
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

    /// The value as an attribute and a file have it behind such a key.
    #[must_use]
    pub fn shown(self, value: Value) -> String {
        match (self, value) {
            (Self::TimeOrQuantile, Value::Number(share)) => {
                format!("\"p{}\"", (share * 1_000.0).round() / 10.0)
            }
            _ => value.to_string(),
        }
    }

    /// The words it takes, if it takes no others.
    #[must_use]
    pub const fn words(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Word(words) => Some(words),
            _ => None,
        }
    }

    /// The policy named by a value, or by its absence.
    #[must_use]
    pub fn referred(self, value: Option<Value>) -> Option<&'static str> {
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
    /// Yes or no.
    Flag(bool),
    /// A word, such as a strategy or a name.
    Word(&'static str),
    /// Source text of a predicate, hook, key or fallback: shown, never configured.
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
            Self::Flag(flag) => flag.fmt(f),
            Self::Word(word) => write!(f, "\"{word}\""),
            Self::Code(code) => f.write_str(code),
        }
    }
}

/// Keys one stem can have.
pub const MAX_KEYS: usize = 20;

/// Values of a stem's keys, in the order of its table.
///
/// What nobody wrote is missing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Written {
    values: [Option<Value>; MAX_KEYS],
}

impl Written {
    /// Nobody wrote anything.
    pub const NOTHING: Self = Self { values: [None; MAX_KEYS] };

    /// Sets a key to whatever is given.
    ///
    /// `install` reports what is out of range, and code by hand gets the nearest value that makes sense when
    /// the settings are read.
    #[must_use]
    pub const fn set(mut self, key: usize, value: Value) -> Self {
        self.values[key] = Some(value);
        self
    }

    /// Writes, or takes away, what stands behind the key.
    pub fn put(&mut self, key: usize, value: Option<Value>) {
        self.values[key] = value;
    }

    /// What stands behind the key.
    #[must_use]
    pub const fn get(&self, key: usize) -> Option<Value> {
        self.values[key]
    }

    /// A whole number.
    #[must_use]
    pub const fn count(&self, key: usize) -> Option<u64> {
        match self.values[key] {
            Some(Value::Count(n)) => Some(n),
            _ => None,
        }
    }

    /// A ratio or a factor.
    #[must_use]
    pub const fn number(&self, key: usize) -> Option<f64> {
        match self.values[key] {
            Some(Value::Number(n)) => Some(n),
            _ => None,
        }
    }

    /// A duration.
    #[must_use]
    pub const fn time(&self, key: usize) -> Option<Duration> {
        match self.values[key] {
            Some(Value::Time(time)) => Some(time),
            _ => None,
        }
    }

    /// A number in a time.
    #[must_use]
    pub const fn rate(&self, key: usize) -> Option<Rate> {
        match self.values[key] {
            Some(Value::Rate(rate)) => Some(rate),
            _ => None,
        }
    }

    /// Yes or no.
    #[must_use]
    pub const fn flag(&self, key: usize) -> Option<bool> {
        match self.values[key] {
            Some(Value::Flag(flag)) => Some(flag),
            _ => None,
        }
    }

    /// Whether a policy is switched on, as it is unless told otherwise.
    #[must_use]
    pub const fn is_on(&self, key: usize) -> bool {
        !matches!(self.flag(key), Some(false))
    }

    /// A word.
    #[must_use]
    pub const fn word(&self, key: usize) -> Option<&'static str> {
        match self.values[key] {
            Some(Value::Word(word)) => Some(word),
            _ => None,
        }
    }
}

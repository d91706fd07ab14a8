//! Runs again after a failure, after a wait that grows.
//!
//! The first attempt never waits. An error that another attempt cannot mend ends the call, and so
//! does a wait that would reach the deadline or that the budget cannot pay for: the last result
//! is then the answer. A call that is dropped starts no further attempt and counts as abandoned.

mod attempt;
mod call;
mod hand;
#[cfg(all(test, feature = "test-util", not(resilient_loom)))]
mod model;
mod policy;
mod state;
mod wait;

use std::time::Duration;

use resilient_settings::stem::retry as slot;
use resilient_settings::{Backoff, Jitter, Schedule, Value, Written};

pub use self::attempt::{After, attempt, attempt_with};
pub use self::call::{RetryReport, RetryWith};
pub use self::policy::RetryPolicy;
pub use self::state::{RetryCause, retry};
use super::Stem;
use crate::configure::Configure;
use crate::policy::budget;
use crate::registry::Registry;

pub(crate) static STEM: Stem = Stem {
    table: &slot::TABLE,
    limit: |_| None,
    least_waits: |written| {
        let settings = Settings::of(written);
        (settings.attempts() > 1).then(|| settings.schedule.least_total_wait(settings.max))
    },
    create: |name, written| Box::leak(Box::new(RetryPolicy::new(name, written))),
};

/// Runs an operation again after a failure.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Retry, attempt};
///
/// const RETRY: Retry = Retry::new().max(4).base(Duration::from_millis(20));
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let answer = RETRY.run(|| async {
///     if attempt() < 3 { Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)) } else { Ok(42) }
/// });
/// assert_eq!(answer.await.unwrap(), 42);
/// # }
/// ```
///
/// Settings out of range mean the nearest one in range.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    settings: Settings,
    /// Which keys were set, a bit for each.
    set: u16,
    name: &'static str,
    policy: Option<&'static RetryPolicy>,
}

impl Default for Retry {
    fn default() -> Self {
        Self::new()
    }
}

impl Retry {
    /// A retry with every setting at its default.
    #[must_use]
    pub const fn new() -> Self {
        Self { settings: Settings::DEFAULT, set: 0, name: "retry", policy: None }
    }

    /// Name that events carry. **Default: `"retry"`.**
    #[must_use]
    pub const fn name(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Attempts in all, the first included; 1 switches retries off. **Default: 3.**
    #[must_use]
    pub const fn max(mut self, max: u32) -> Self {
        self.settings.max = max;
        self.mark(slot::MAX)
    }

    /// How the delay grows. **Default: [`Backoff::Exponential`].**
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.settings.schedule.backoff = backoff;
        self.mark(slot::BACKOFF)
    }

    /// The first delay, from which the others grow. **Default: 100 ms.**
    #[must_use]
    pub const fn base(mut self, base: Duration) -> Self {
        self.settings.schedule.base = base;
        self.mark(slot::BASE)
    }

    /// Growth from one exponential delay to the next, at least 1. **Default: 2.**
    #[must_use]
    pub const fn factor(mut self, factor: f64) -> Self {
        self.settings.schedule.factor = factor;
        self.mark(slot::FACTOR)
    }

    /// The longest computed delay, jitter included. **Default: 10 s.**
    #[must_use]
    pub const fn max_delay(mut self, max_delay: Duration) -> Self {
        self.settings.schedule.max_delay = max_delay;
        self.mark(slot::MAX_DELAY)
    }

    /// How delays are made random. **Default: [`Jitter::Full`].**
    #[must_use]
    pub const fn jitter(mut self, jitter: Jitter) -> Self {
        self.settings.schedule.jitter = jitter;
        self.mark(slot::JITTER)
    }

    /// Time for all attempts and waits. **Default: no limit.**
    ///
    /// A wait that would reach it is not begun; a running attempt is never cut.
    #[must_use]
    pub const fn within(mut self, within: Duration) -> Self {
        self.settings.within = Some(within);
        self.mark(slot::WITHIN)
    }

    /// Name of the budget that pays for retries, or `"none"`. **Default: `"default"`.**
    ///
    /// All retries that name one budget share it: every call earns a fifth of a retry, and ten
    /// retries a second are free.
    #[must_use]
    pub const fn budget(mut self, name: &'static str) -> Self {
        self.settings.budget = name;
        self.mark(slot::BUDGET)
    }

    /// The longest wait that a server may ask for. **Default: 30 s.**
    ///
    /// A longer one ends the call: nobody returns earlier than asked.
    #[must_use]
    pub const fn max_retry_after(mut self, longest: Duration) -> Self {
        self.settings.max_retry_after = longest;
        self.mark(slot::MAX_RETRY_AFTER)
    }

    /// What it does inside an attempt of another retry. **Default: [`Nested::Share`].**
    #[must_use]
    pub const fn nested(mut self, nested: Nested) -> Self {
        self.settings.nested = nested;
        self.mark(slot::NESTED)
    }

    /// Whether it does anything; otherwise a call makes one attempt, as without. **Default: true.**
    #[must_use]
    pub const fn enabled(mut self, enabled: bool) -> Self {
        self.settings.enabled = enabled;
        self.mark(slot::ENABLED)
    }

    const fn mark(mut self, key: usize) -> Self {
        self.set |= 1 << key;
        self
    }

    /// Only what was set, so that the rest comes from weaker layers.
    fn written(&self) -> Written {
        let mut written = Written::NOTHING;
        for (key, value) in self.settings.values().into_iter().enumerate() {
            written.put(key, value.filter(|_| self.set & (1 << key) != 0));
        }
        written
    }
}

impl Registry {
    /// The retry `name`, if a function or the configuration knows it.
    #[must_use]
    pub fn retry(self, name: &str) -> Option<Retry> {
        let policy = self.find::<RetryPolicy>(name)?;
        Some(Retry { name: policy.name, policy: Some(policy), ..Retry::new() })
    }
}

impl Configure {
    /// Sets keys of the retry `name`.
    ///
    /// A retry never forgets a set of settings that it had, because calls may still be under way with it.
    /// Each different set takes up to 256 bytes for good, once: going to and fro between two costs no more
    /// than two, but a delay that is computed anew for every `install` is kept every time.
    #[track_caller]
    pub fn retry(self, name: &str, set: impl FnOnce(Retry) -> Retry) -> Self {
        self.with(&STEM, name, &set(Retry::new()).written())
    }
}

/// What a retry does inside an attempt of another retry, or of a hedge.
///
/// Attempts multiply there: three times three are nine calls of what lies below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Nested {
    /// It retries on the budget and the time of the one around it.
    ///
    /// The default, because a call that fails for a reason of its own is best mended close to it, and the
    /// one budget bounds what all of them add.
    #[default]
    Share,
    /// It makes one attempt and leaves the rest to the one around it.
    Once,
}

impl Nested {
    const fn word(self) -> &'static str {
        match self {
            Self::Share => slot::NESTED_WORDS[0],
            Self::Once => slot::NESTED_WORDS[1],
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [Self::Share, Self::Once].into_iter().find(|nested| nested.word() == word)
    }
}

/// Settings of one retry, complete.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    max: u32,
    schedule: Schedule,
    within: Option<Duration>,
    budget: &'static str,
    max_retry_after: Duration,
    nested: Nested,
    enabled: bool,
}

impl Settings {
    const DEFAULT: Self = Self {
        max: slot::DEFAULT_MAX,
        schedule: Schedule::DEFAULT,
        within: None,
        budget: budget::DEFAULT,
        max_retry_after: Duration::from_secs(30),
        nested: Nested::Share,
        enabled: true,
    };

    fn of(written: &Written) -> Self {
        let Self { budget, max_retry_after, nested, .. } = Self::DEFAULT;
        Self {
            max: slot::max(written),
            schedule: slot::schedule(written),
            within: written.time(slot::WITHIN),
            budget: written.word(slot::BUDGET).unwrap_or(budget),
            max_retry_after: written.time(slot::MAX_RETRY_AFTER).unwrap_or(max_retry_after),
            nested: written.word(slot::NESTED).and_then(Nested::from_word).unwrap_or(nested),
            enabled: written.is_on(slot::ENABLED),
        }
    }

    /// Attempts that a call may make.
    const fn attempts(&self) -> u32 {
        if self.enabled { self.max } else { 1 }
    }

    /// In the order of the keys.
    fn values(&self) -> [Option<Value>; 11] {
        let Self { max, schedule, within, budget, max_retry_after, nested, enabled } = *self;
        [
            Some(Value::count(max)),
            Some(Value::Word(schedule.backoff.word())),
            Some(Value::Time(schedule.base)),
            Some(Value::number(schedule.factor)),
            Some(Value::Time(schedule.max_delay)),
            Some(Value::Word(schedule.jitter.word())),
            within.map(Value::Time),
            Some(Value::Word(budget)),
            Some(Value::Time(max_retry_after)),
            Some(Value::Word(nested.word())),
            Some(Value::Flag(enabled)),
        ]
    }
}

/// Statistics of a retry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetrySnapshot {
    /// Name of the retry.
    pub name: &'static str,
    /// Whether it does anything.
    pub enabled: bool,
    /// Attempts a call may make, if it does.
    pub max: u32,
    /// Calls whose first attempt was good.
    pub first_try: u64,
    /// Calls that a later attempt saved.
    pub after_retry: u64,
    /// Calls that made as many attempts as allowed, in vain.
    ///
    /// While it is switched off, that is one.
    pub exhausted: u64,
    /// Calls that ended in an error which another attempt cannot mend.
    pub not_retryable: u64,
    /// Calls that had no time left for another attempt.
    pub deadline: u64,
    /// Calls that the budget did not pay another attempt for.
    pub budget: u64,
    /// Calls told to wait longer than allowed, or for an unknown time.
    pub retry_after: u64,
    /// Calls that made no other attempt because they were part of another retry's.
    pub once: u64,
    /// Calls whose future was dropped.
    pub abandoned: u64,
    /// Calls that panicked.
    pub panicked: u64,
    /// Attempts beyond the first of each call.
    pub retries: u64,
    /// Of these, those made inside an attempt of another retry.
    pub nested: u64,
    /// Retries in a row that the budget would pay for now.
    ///
    /// Nothing before a call has used it.
    pub budget_left: Option<u64>,
}

impl RetrySnapshot {
    /// Attempts made by the calls that have ended, and retries of those still running.
    #[must_use]
    pub const fn attempts(&self) -> u64 {
        let good = self.first_try + self.after_retry;
        let given_up = self.exhausted + self.not_retryable + self.deadline + self.budget + self.retry_after;
        good + given_up + self.once + self.abandoned + self.panicked + self.retries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_by_hand_is_what_a_configuration_says() {
        let nothing = Retry::new();
        assert_eq!(nothing.written(), Written::NOTHING);
        let everything = nothing
            .max(7)
            .backoff(Backoff::Linear)
            .base(Duration::from_millis(1))
            .factor(3.0)
            .max_delay(Duration::from_millis(2))
            .jitter(Jitter::Equal)
            .within(Duration::from_millis(3))
            .budget("checkout")
            .max_retry_after(Duration::from_millis(4))
            .nested(Nested::Once)
            .enabled(false);
        assert_eq!(Settings::of(&everything.written()), everything.settings);
        assert_eq!(Settings::of(&Written::NOTHING), Settings::DEFAULT);
        assert_eq!(Settings::of(&resilient_settings::defaults(&slot::TABLE)), Settings::DEFAULT, "as told");
        for (index, key) in STEM.keys.iter().enumerate() {
            let value = everything.written().get(index).expect("every key is set");
            assert_eq!(key.kind.complain(value), None, "{}", key.name);
        }
    }
}

//! Gives up after a time.
//!
//! A body that is ready at once costs no clock and no timer. A call that is dropped is counted
//! as abandoned.

pub(crate) mod call;

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use resilient_settings::stem::{observes, timeout as slot};
use resilient_settings::{Value, Written, nanos};

use self::call::{Bounded, By};
pub use self::call::{limit, timeout};
use super::{Mode, Policy, Snapshot, Stem};
use crate::configure::Configure;
use crate::error::Rejected;
use crate::frame::Deadline;
use crate::level::ByHand;
use crate::outcome::Unclassified;
use crate::registry::Registry;
use crate::tally::{Since, Tally};

pub(crate) static STEM: Stem = Stem {
    table: &slot::TABLE,
    limit: |written| {
        let bounds = written.is_on(slot::ENABLED) && !observes(written, slot::MODE);
        written.time(slot::LIMIT).filter(|_| bounds)
    },
    least_waits: |_| None,
    create: |name, written| {
        let policy = TimeoutPolicy::new(name);
        policy.apply(written);
        Box::leak(Box::new(policy))
    },
};

/// Gives up on a call that takes too long.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Rejected, Timeout};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let slow = async {
///     tokio::time::sleep(Duration::from_secs(60)).await;
///     Ok::<_, std::io::Error>(())
/// };
/// let error = Timeout::new(Duration::from_secs(2)).call(slow).await.unwrap_err();
/// assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Timeout {
    limit: Option<Duration>,
    enabled: Option<bool>,
    mode: Option<Mode>,
    name: &'static str,
    policy: Option<&'static TimeoutPolicy>,
}

impl Timeout {
    /// A timeout of `limit`.
    #[must_use]
    pub const fn new(limit: Duration) -> Self {
        Self::unset().limit(limit)
    }

    const fn unset() -> Self {
        Self { limit: None, enabled: None, mode: None, name: "timeout", policy: None }
    }

    /// Name that errors and events carry. **Default: `"timeout"`.**
    #[must_use]
    pub const fn name(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Time a call may take. Zero gives up as soon as the call has to wait.
    #[must_use]
    pub const fn limit(self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Whether it does anything; otherwise a call has no limit and no deadline. **Default: true.**
    #[must_use]
    pub const fn enabled(self, enabled: bool) -> Self {
        Self { enabled: Some(enabled), ..self }
    }

    /// Whether it gives calls up, or only observes. **Default: [`Mode::Enforce`].**
    ///
    /// While it observes, a call that takes too long is told of and goes on, and the code inside has no
    /// deadline from it.
    #[must_use]
    pub const fn mode(self, mode: Mode) -> Self {
        Self { mode: Some(mode), ..self }
    }

    /// Runs `future` until it ends or the time is up.
    ///
    /// # Errors
    ///
    /// [`Rejected::TimedOut`], converted into `E`, when the time is up; otherwise whatever
    /// `future` returned.
    ///
    /// # Panics
    ///
    /// When the future has to wait outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops `future` where it stands.
    pub fn call<F, T, E>(&self, future: F) -> impl Future<Output = Result<T, E>> + use<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<Rejected>,
    {
        let terms = self.policy.map_or(By::Value(self.name), By::Name);
        let limit = match self.policy {
            Some(policy) if self.written() == Written::NOTHING => policy.limit(),
            Some(policy) => self.over(policy.settings()).in_force(),
            None => self.over(Settings::UNSET).in_force(),
        };
        ByHand { layer: Bounded::<_, _, Unclassified>::new(future, terms, limit) }
    }

    /// What was set here, and the rest from `base`.
    fn over(&self, base: Settings) -> Settings {
        Settings {
            limit: self.limit.or(base.limit),
            enabled: self.enabled.unwrap_or(base.enabled),
            observes: self.mode.map_or(base.observes, |mode| mode == Mode::Observe),
        }
    }

    fn written(&self) -> Written {
        let mut written = Written::NOTHING;
        written.put(slot::LIMIT, self.limit.map(Value::Time));
        written.put(slot::ENABLED, self.enabled.map(Value::Flag));
        written.put(slot::MODE, self.mode.map(Mode::value));
        written
    }
}

/// What a timeout goes by.
#[derive(Clone, Copy, Debug)]
struct Settings {
    limit: Option<Duration>,
    enabled: bool,
    observes: bool,
}

impl Settings {
    const UNSET: Self = Self { limit: None, enabled: true, observes: false };
    const ENABLED: u64 = 1;
    const OBSERVES: u64 = 2;
    const BITS: u32 = 2;
    const NO_LIMIT: u64 = u64::MAX >> Self::BITS;

    fn of(written: &Written) -> Self {
        Self {
            limit: written.time(slot::LIMIT),
            enabled: written.is_on(slot::ENABLED),
            observes: observes(written, slot::MODE),
        }
    }

    /// What a call takes of it.
    fn in_force(self) -> Deadline {
        let deadline = if self.observes { Deadline::watched } else { Deadline::after };
        self.limit.filter(|_| self.enabled).map_or(Deadline::NONE, deadline)
    }

    /// All of it, for other threads.
    fn word(self) -> u64 {
        let limit = self.limit.map_or(Self::NO_LIMIT, |limit| nanos(limit).min(Self::NO_LIMIT - 1));
        let bit = |bit, set| if set { bit } else { 0 };
        limit << Self::BITS | bit(Self::ENABLED, self.enabled) | bit(Self::OBSERVES, self.observes)
    }

    fn of_word(word: u64) -> Self {
        let limit = word >> Self::BITS;
        Self {
            limit: (limit != Self::NO_LIMIT).then(|| Duration::from_nanos(limit)),
            enabled: word & Self::ENABLED != 0,
            observes: word & Self::OBSERVES != 0,
        }
    }
}

impl Registry {
    /// The timeout `name`, if a function or the configuration knows it.
    #[must_use]
    pub fn timeout(self, name: &str) -> Option<Timeout> {
        let policy = self.find::<TimeoutPolicy>(name)?;
        Some(Timeout { name: policy.name, policy: Some(policy), ..Timeout::unset() })
    }
}

impl Configure {
    /// Sets keys of the timeout `name`.
    #[track_caller]
    pub fn timeout(self, name: &str, set: impl FnOnce(Timeout) -> Timeout) -> Self {
        self.with(&STEM, name, &set(Timeout::unset()).written())
    }
}

/// Statistics of a timeout.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeoutSnapshot {
    /// Name of the timeout.
    pub name: &'static str,
    /// Whether it does anything.
    pub enabled: bool,
    /// Whether it gives no call up, and only counts those that it would have.
    pub observes: bool,
    /// Time a call may take, if it does.
    pub limit: Duration,
    /// Calls that ended in time with `Ok`.
    pub succeeded: u64,
    /// Calls that ended in time with `Err`.
    pub failed: u64,
    /// Calls that were given up.
    pub timed_out: u64,
    /// Calls it would have given up if it did not only observe.
    ///
    /// They count however they ended.
    pub would_time_out: u64,
    /// Calls whose future was dropped.
    pub abandoned: u64,
    /// Calls that panicked.
    pub panicked: u64,
}

const SUCCEEDED: usize = 0;
const FAILED: usize = 1;
const TIMED_OUT: usize = 2;
const ABANDONED: usize = 3;
const PANICKED: usize = 4;
const WOULD_TIME_OUT: usize = 5;

/// A timeout as the registry holds it.
#[derive(Debug)]
pub struct TimeoutPolicy {
    name: &'static str,
    /// What a call takes of the settings.
    limit: AtomicU64,
    settings: AtomicU64,
    tally: Tally,
}

impl TimeoutPolicy {
    fn new(name: &'static str) -> Self {
        let settings = AtomicU64::new(Settings::UNSET.word());
        Self { name, limit: AtomicU64::new(Deadline::NONE.word()), settings, tally: Tally::new() }
    }

    fn settings(&self) -> Settings {
        Settings::of_word(self.settings.load(Relaxed))
    }

    #[inline]
    fn limit(&self) -> Deadline {
        Deadline::of_word(self.limit.load(Relaxed))
    }
}

impl Policy for TimeoutPolicy {
    fn apply(&self, written: &Written) {
        let settings = Settings::of(written);
        self.settings.store(settings.word(), Relaxed);
        self.limit.store(settings.in_force().word(), Relaxed);
    }

    fn snapshot(&self, count: Since) -> Snapshot {
        let count = |counter| count(&self.tally, counter);
        let Settings { limit, enabled, observes } = self.settings();
        Snapshot::Timeout(TimeoutSnapshot {
            name: self.name,
            enabled,
            observes,
            limit: limit.unwrap_or(Deadline::NONE.limit()),
            succeeded: count(SUCCEEDED),
            failed: count(FAILED),
            timed_out: count(TIMED_OUT),
            would_time_out: count(WOULD_TIME_OUT),
            abandoned: count(ABANDONED),
            panicked: count(PANICKED),
        })
    }

    fn reset(&self) {
        self.tally.reset();
    }
}

//! The keys of a check, as setters and as what its runs go by.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use resilient_settings::stem::health_check as slot;
use resilient_settings::{Value, Written};

use super::error::HealthError;
use super::health;
use super::probe::Source;
use crate::configure::Configure;
use crate::outcome::Class;

/// A check made by hand, or the settings of one by name.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{HealthCheck, HealthStatus, health};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), resilient_runtime::HealthError> {
/// HealthCheck::new("queue").critical(true).interval(Duration::from_secs(5)).register(|| async {
///     tokio::net::TcpStream::connect("127.0.0.1:1").await
/// })?;
/// assert_eq!(health().ready().status, HealthStatus::Unknown);
///
/// let _checks = health().start()?;
/// tokio::time::sleep(Duration::from_secs(1)).await;
/// assert_eq!(health().ready().status, HealthStatus::Down);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a check does nothing before it is registered"]
pub struct HealthCheck {
    name: &'static str,
    written: Written,
}

impl HealthCheck {
    /// A check called `name`.
    pub const fn new(name: &'static str) -> Self {
        Self { name, written: Written::NOTHING }
    }

    const fn with(mut self, key: usize, value: Value) -> Self {
        self.written = self.written.set(key, value);
        self
    }

    /// Whether the program is not ready while it fails. **Default: no; the program is degraded.**
    pub const fn critical(self, critical: bool) -> Self {
        self.with(slot::CRITICAL, Value::Flag(critical))
    }

    /// Longest time from one run's end to the next run, at least a millisecond. **Default: 10 s.**
    ///
    /// Up to a tenth of it is left out at random, so that checks do not go on together.
    pub const fn interval(self, time: Duration) -> Self {
        self.with(slot::INTERVAL, Value::Time(time))
    }

    /// Time after which a run has failed. **Default: 1 s.**
    pub const fn timeout(self, limit: Duration) -> Self {
        self.with(slot::TIMEOUT, Value::Time(limit))
    }

    /// Adds it to the checks of this program, started or not.
    ///
    /// Every run calls `run`; any `Ok` is a success. [`Health::remove`](super::Health::remove) takes it out again.
    ///
    /// # Errors
    ///
    /// [`HealthError::Faults`] when there is a check of this name already, or a setting is out of range.
    #[track_caller]
    pub fn register<R, F, T, E>(self, run: R) -> Result<(), HealthError>
    where
        R: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let probe = move || -> super::probe::Probe {
            let run = run();
            Box::pin(async move { run.await.map(drop).or(Err(Class::Unknown)) })
        };
        health().register(self.name, &self.written, Source::ByHand(Arc::new(probe)))
    }
}

impl Configure {
    /// Sets keys of the health check `name`.
    #[track_caller]
    pub fn health_check(self, name: &str, set: impl FnOnce(HealthCheck) -> HealthCheck) -> Self {
        self.with(&super::STEM, name, &set(HealthCheck::new("")).written)
    }
}

/// What the runs of a check go by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Terms {
    pub(super) critical: bool,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
}

impl Terms {
    const LEAST_INTERVAL: Duration = Duration::from_millis(1);

    /// The settings of `stronger` over those of `base`, with every default filled in.
    pub(super) fn new(base: &Written, stronger: &Written) -> Self {
        let flag = |key| stronger.flag(key).or_else(|| base.flag(key));
        let time = |key| stronger.time(key).or_else(|| base.time(key));
        Self {
            critical: flag(slot::CRITICAL).unwrap_or(false),
            interval: time(slot::INTERVAL).unwrap_or(Duration::from_secs(10)).max(Self::LEAST_INTERVAL),
            timeout: time(slot::TIMEOUT).unwrap_or(Duration::from_secs(1)),
        }
    }

    /// How long a finding is worth something: the next one is due well before.
    pub(super) fn validity(&self) -> Duration {
        self.interval.saturating_mul(2).saturating_add(self.timeout)
    }
}

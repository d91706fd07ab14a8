//! What is told about the whole: alive, ready, and how the policies are.

use std::fmt;

use super::check::{Check, HealthCheckSnapshot};
use super::policies::{PolicyHealth, policies};
use super::readiness::Readiness;
use super::{Health, all};

/// How something is, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum HealthStatus {
    /// All is well.
    Up,
    /// Something fails that the program can do without.
    Degraded,
    /// Nobody knows, which is no reason to send calls.
    Unknown,
    /// Something fails that the program cannot do without.
    Down,
}

impl HealthStatus {
    pub(super) const fn of(passed: bool) -> Self {
        if passed { Self::Up } else { Self::Down }
    }

    /// The status in one word, for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
            Self::Down => "down",
        }
    }

    /// Status of an HTTP answer: 200, or 503 for `Unknown` and `Down`.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Up | Self::Degraded => 200,
            Self::Unknown | Self::Down => 503,
        }
    }
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the program is, and what that rests on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HealthReport {
    /// The worst there is to say.
    pub status: HealthStatus,
    /// The checks it rests on, by name.
    pub checks: Vec<HealthCheckSnapshot>,
    /// The policies it rests on, by kind and name.
    pub policies: Vec<PolicyHealth>,
}

impl HealthReport {
    /// The status of an HTTP answer that tells it.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        self.status.http_status()
    }

    /// The report as a text in JSON, times in seconds.
    ///
    /// It is `Serialize` too, for whoever makes it a part of something else.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Nothing in it can fail: keys are texts, and a number that is none is null.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl HealthCheckSnapshot {
    /// What it means for the program.
    fn weight(&self) -> HealthStatus {
        match self.status {
            HealthStatus::Down if !self.critical => HealthStatus::Degraded,
            HealthStatus::Unknown if !self.critical && self.running => HealthStatus::Degraded,
            status => status,
        }
    }
}

impl Health {
    /// Whether the program serves: always `Up`, because it can answer.
    ///
    /// What it depends on has no part in this: whoever restarts a program that does not live would restart all of
    /// them when one database is away.
    #[must_use]
    pub fn live(self) -> HealthReport {
        HealthReport { status: HealthStatus::Up, checks: Vec::new(), policies: Vec::new() }
    }

    /// Whether calls should be sent here, by its checks and some policies.
    ///
    /// A critical check that fails means `Down`, another one `Degraded`. `Unknown` is a critical check that has not
    /// ended its first run, and any that nobody has started. A policy that refuses calls means what its
    /// [`readiness`](Readiness) says.
    #[must_use]
    pub fn ready(self) -> HealthReport {
        let checks: Vec<_> = all(self.0).into_iter().map(Check::snapshot).collect();
        let mut policies = policies(self.0);
        policies.retain(|policy| policy.readiness != Readiness::Ignore);
        let worst = checks.iter().map(HealthCheckSnapshot::weight).max();
        let status = worst.max(policies.iter().map(PolicyHealth::weight).max());
        HealthReport { status: status.unwrap_or(HealthStatus::Up), checks, policies }
    }

    /// What each policy does; `Degraded` if one refuses because of failures or overload.
    #[must_use]
    pub fn policies(self) -> HealthReport {
        let policies = policies(self.0);
        let status = policies.iter().map(|policy| policy.status).max();
        HealthReport { status: status.unwrap_or(HealthStatus::Up), checks: Vec::new(), policies }
    }
}

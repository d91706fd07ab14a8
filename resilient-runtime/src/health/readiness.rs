//! What a policy that refuses calls means for the readiness of the program.

use std::fmt;

use resilient_settings::Written;
use resilient_settings::stem::READINESS;

use super::HealthStatus;

/// What it means for the program that a policy refuses calls.
///
/// A breaker does while it is open, by itself or by hand; half-open it lets calls try, which have to come from
/// somewhere. A load shedder does while it is overloaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Readiness {
    /// Nothing: what depends on it fails, and the rest goes on.
    #[default]
    Ignore,
    /// The program is ready and degraded.
    Degrade,
    /// The program is not ready.
    Fail,
}

impl Readiness {
    pub(crate) const ALL: [Self; 3] = [Self::Ignore, Self::Degrade, Self::Fail];

    /// The word that `readiness = …` takes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        READINESS[self as usize]
    }

    pub(crate) fn of(written: &Written, slot: usize) -> Self {
        let word = written.word(slot);
        Self::ALL.into_iter().find(|readiness| Some(readiness.as_str()) == word).unwrap_or_default()
    }

    /// What the program is while the policy refuses calls.
    pub(super) const fn weight(self) -> HealthStatus {
        match self {
            Self::Ignore => HealthStatus::Up,
            Self::Degrade => HealthStatus::Degraded,
            Self::Fail => HealthStatus::Down,
        }
    }
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

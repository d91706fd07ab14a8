//! What concerns all policies, as code says it.

use resilient_settings::Value;
use resilient_settings::stem::general;

use super::Configure;

/// What becomes of a name in a file that no function uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnUnknownPolicy {
    /// It is a fault.
    #[default]
    Error,
    /// It is a line in the log.
    Warn,
}

impl OnUnknownPolicy {
    /// The word that `on_unknown_policy = …` takes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => general::ERROR,
            Self::Warn => general::WARN,
        }
    }
}

impl Configure {
    /// Whether policies do anything. **Default: yes.**
    ///
    /// The same as `enabled = false` under `[resilient]` of a file: every call passes all of them.
    #[track_caller]
    pub fn enabled(self, on: bool) -> Self {
        self.general(general::ENABLED, Value::Flag(on))
    }

    /// What becomes of names in files that no function uses. **Default: `Error`.**
    ///
    /// One file may serve several programs with `Warn`. Names in code and in variables are faults in any case.
    #[track_caller]
    pub fn on_unknown_policy(self, then: OnUnknownPolicy) -> Self {
        self.general(general::ON_UNKNOWN_POLICY, Value::Word(then.as_str()))
    }

    /// Whether every policy that a function names has to be configured. **Default: no.**
    #[track_caller]
    pub fn require(self, required: bool) -> Self {
        self.general(general::REQUIRE, Value::Flag(required))
    }
}

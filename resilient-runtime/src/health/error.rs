//! Why checks were not started, or not taken in.

use std::fmt;

use crate::configure::ConfigFault;

/// Health checks that were not started, or one that was not taken in.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HealthError {
    /// There is no tokio runtime here to run them.
    NoRuntime,
    /// They run already.
    Running,
    /// The checks themselves are wrong.
    Faults(Vec<ConfigFault>),
}

impl HealthError {
    /// Everything that is wrong with the checks themselves.
    #[must_use]
    pub fn faults(&self) -> &[ConfigFault] {
        match self {
            Self::Faults(faults) => faults,
            Self::NoRuntime | Self::Running => &[],
        }
    }
}

/// For people too: what a `main` returns is shown by this.
impl fmt::Debug for HealthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for HealthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRuntime => {
                f.write_str("health checks start inside a tokio runtime, and there is none here")
            }
            Self::Running => {
                f.write_str("the health checks run already; they end when their `HealthTasks` is dropped")
            }
            Self::Faults(faults) => {
                f.write_str("the health checks are wrong:")?;
                faults.iter().try_for_each(|fault| write!(f, "\n\n{fault}"))
            }
        }
    }
}

impl std::error::Error for HealthError {}

//! The two halves of a breaker's state: what it has learned, and what somebody did by hand or configured.

use std::time::Duration;

use super::probes::Ramp;
use super::transition::{CircuitState, Control};
use crate::clock::Tick;

#[derive(Debug)]
pub(super) enum Phase {
    Closed {
        failures: u32,
        ramp: Option<Ramp>,
    },
    Open {
        length: Duration,
    },
    /// Open because its health check fails, as long as what was heard of that counts.
    Held {
        heard: Tick,
        counts: Duration,
    },
    HalfOpen,
}

impl Phase {
    pub(super) const CLEAN: Self = Self::Closed { failures: 0, ramp: None };

    pub(super) const fn state(&self) -> CircuitState {
        match self {
            Self::Closed { .. } => CircuitState::Closed,
            Self::Open { .. } | Self::Held { .. } => CircuitState::Open,
            Self::HalfOpen => CircuitState::HalfOpen,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hand {
    Off,
    ForcedOpen,
    Disabled,
    Observing,
}

impl Hand {
    /// This, or what is configured if it is nothing.
    pub(super) const fn or(self, configured: Self) -> Self {
        if matches!(self, Self::Off) { configured } else { self }
    }

    /// The state that hides the phase.
    pub(super) const fn state(self) -> Option<CircuitState> {
        match self {
            Self::Off => None,
            Self::ForcedOpen => Some(CircuitState::ForcedOpen),
            Self::Disabled => Some(CircuitState::Disabled),
            Self::Observing => Some(CircuitState::Observing),
        }
    }

    /// What was asked for.
    pub(super) const fn control(self) -> Option<Control> {
        match self {
            Self::Off => None,
            Self::ForcedOpen => Some(Control::ForceOpen),
            Self::Disabled => Some(Control::Disable),
            Self::Observing => Some(Control::Observe),
        }
    }
}

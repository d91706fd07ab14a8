//! What a health check has to say in a breaker: failing, it holds it open; passing, it lets it try early.

use std::time::Duration;

use super::{Machine, Phase};
use crate::clock::Tick;
use crate::policy::circuit_breaker::phase::Hand;
use crate::policy::circuit_breaker::transition::{CircuitCause, Figures, Transition};

/// What a check last found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct News {
    /// Counts findings, from one to the last number there is and then anew.
    pub(crate) number: u32,
    pub(crate) says: Says,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// It fails, and who hears no more of it for so long need not believe that any longer.
    Failing(Duration),
    /// It passes, by a run that began then.
    Passing(Tick),
    /// There is none, nobody runs it, or it has not ended a run.
    Unknown,
}

impl Machine {
    /// Takes what its check found out; what comes late is known to be old.
    pub(in crate::policy::circuit_breaker) fn heed(&mut self, news: News, now: Tick) -> Option<Transition> {
        let late = news.number.wrapping_sub(self.heard) > u32::MAX / 2;
        if late && self.heeds() {
            return None;
        }
        self.heard = news.number;
        let (from, held) = (self.phase.state(), matches!(self.phase, Phase::Held { .. }));
        let cause = match news.says {
            Says::Failing(counts) => {
                self.phase = Phase::Held { heard: now, counts };
                if !held {
                    self.enter(now);
                }
                CircuitCause::HealthFailed
            }
            Says::Passing(began) if held || self.may_try(began) => {
                self.half_open(CircuitCause::HealthPassed, now);
                CircuitCause::HealthPassed
            }
            Says::Unknown if held => {
                self.half_open(CircuitCause::HealthUnknown, now);
                CircuitCause::HealthUnknown
            }
            Says::Passing(_) | Says::Unknown => return None,
        };
        let told = from != self.phase.state() && matches!(self.hand, Hand::Off | Hand::Observing);
        told.then(|| self.transition(from, cause, Figures::default()))
    }

    /// Whether a check that passes shortens the open time: its run began after what opened the breaker, and no
    /// call that tried has failed since. That calls fail though it passes is nothing that the check could know.
    fn may_try(&self, began: Tick) -> bool {
        matches!(self.phase, Phase::Open { .. }) && self.reopened == 0 && began >= self.since
    }

    /// Whether a check holds it open, though something done by hand may hide that.
    pub(in crate::policy::circuit_breaker) fn is_held(&self, now: Tick) -> bool {
        matches!(self.phase, Phase::Held { heard, counts } if now.since(heard) < counts)
    }

    /// Whether a check ever had a say in it.
    pub(in crate::policy::circuit_breaker) const fn heeds(&self) -> bool {
        self.heard > 0
    }

    /// Goes by what `other` has heard, as the breaker of a new key.
    pub(in crate::policy::circuit_breaker) fn hear_from(&mut self, other: &Self) {
        self.heard = other.heard;
        if let Phase::Held { heard, counts } = other.phase {
            self.phase = Phase::Held { heard, counts };
        }
    }

    /// Forgets what a check said that it need not heed any more.
    pub(super) fn unhear(&mut self) {
        self.heard = 0;
        if let Phase::Held { counts, .. } = &mut self.phase {
            *counts = Duration::ZERO;
        }
    }
}

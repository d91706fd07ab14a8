//! What a machine lets others know, so that they need not ask it.

use super::super::window::{Window, room};
use super::{Hand, Machine, Phase};
use crate::clock::Tick;

impl Machine {
    /// Whether every call passes and is counted, without asking.
    pub(in crate::policy::circuit_breaker) const fn admits_all(&self) -> bool {
        matches!(self.phase, Phase::Closed { ramp: None, .. })
            && matches!(self.hand, Hand::Off | Hand::Observing)
    }

    /// Whether it counts nothing.
    pub(in crate::policy::circuit_breaker) const fn is_disabled(&self) -> bool {
        matches!(self.hand, Hand::Disabled)
    }

    /// Whether a refused call runs all the same.
    pub(in crate::policy::circuit_breaker) const fn only_observes(&self) -> bool {
        matches!(self.hand, Hand::Observing)
    }

    /// From when until when it is open.
    pub(in crate::policy::circuit_breaker) fn refuses(&self) -> Option<(Tick, Tick)> {
        match (self.hand, &self.phase) {
            (Hand::Off, Phase::Open { length }) => Some((self.since, self.since.plus(*length))),
            (Hand::Off, Phase::Held { heard, counts }) => Some((*heard, heard.plus(*counts))),
            _ => None,
        }
    }

    /// Whether it refuses, for as long as nobody knows.
    pub(in crate::policy::circuit_breaker) const fn refuses_for_long(&self) -> bool {
        matches!((self.hand, &self.phase), (Hand::ForcedOpen, _) | (Hand::Off, Phase::Held { .. }))
    }

    /// Whether a fast success has to be told at once, or may wait to be absorbed.
    ///
    /// Where that was so before, the window may be one that opens though no outcome said so.
    pub(in crate::policy::circuit_breaker) fn success_matters(&self, mattered: bool) -> bool {
        let Phase::Closed { failures, .. } = self.phase else { return true };
        if failures > 0 {
            return true;
        }
        let (Some(rates), Some(window)) = (&self.limits.rates, &self.window) else { return false };
        let sum = window.sum();
        let settled = || rates.are_known(sum) && !(mattered && self.tripped_by_rate().is_some());
        !sum.is_clean() && !settled()
    }

    /// Whether successes will not matter before the state changes, if they did not before.
    pub(in crate::policy::circuit_breaker) fn is_settled(&self) -> bool {
        let Some(Window::Calls(ring)) = &self.window else { return false };
        let known = self.limits.rates.as_ref().is_some_and(|rates| rates.are_known(ring.sum()));
        known && self.limits.failure_threshold.is_none()
    }

    /// Failures that may be counted elsewhere as of now, and with which one has to be told.
    pub(in crate::policy::circuit_breaker) fn leeway(&self) -> Option<(u32, u32)> {
        match (&self.phase, self.limits.failure_threshold, &self.window) {
            (Phase::Closed { failures, .. }, Some(threshold), None) => Some((*failures, threshold)),
            // Also where there is no room: somebody may just be counting who found some.
            (Phase::Closed { .. }, None, Some(window)) if window.turns_at().is_some() => {
                Some((0, self.room(window).saturating_add(1)))
            }
            _ => None,
        }
        .filter(|_| self.admits_all())
    }

    /// Failures that cannot open before the bucket turns, whatever else happens.
    fn room(&self, window: &Window) -> u32 {
        let rates = self.limits.rates.as_ref().filter(|rates| rates.are_known(window.sum()));
        rates.and_then(|rates| rates.failure_rate).map_or(0, |limit| room(window.sum(), limit))
    }

    /// When a window of time has to be moved on, and until then successes may wait.
    pub(in crate::policy::circuit_breaker) fn turns_at(&self) -> Option<Tick> {
        self.window.as_ref().and_then(Window::turns_at)
    }
}

//! Where a breaker has been: how long in each state, and how often it went from one to another.

use std::time::Duration;

use super::transition::{CircuitCause, CircuitState, Transition};
use crate::clock::Tick;

/// How often a breaker went from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CircuitChange {
    /// The state it was in.
    pub from: CircuitState,
    /// The state it went to.
    pub to: CircuitState,
    /// Why.
    pub cause: CircuitCause,
    /// How often.
    pub times: u64,
}

impl CircuitChange {
    pub(super) fn add_to(self, all: &mut Vec<Self>) {
        let same = |it: &&mut Self| (it.from, it.to, it.cause) == (self.from, self.to, self.cause);
        match all.iter_mut().find(same) {
            Some(known) => known.times += self.times,
            None => all.push(self),
        }
    }
}

#[derive(Debug)]
pub(super) struct History {
    /// When the state was last entered.
    since: Tick,
    past: Option<Box<Past>>,
}

/// Most breakers of keys never have one.
#[derive(Debug, Default)]
struct Past {
    /// Whether it was opened last; it may be half-open by now, though nobody called.
    open: bool,
    /// When it will be, if that is known.
    open_until: Option<Tick>,
    spent: [Duration; CircuitState::ALL.len()],
    changes: Vec<CircuitChange>,
}

impl History {
    pub(super) const fn new(now: Tick) -> Self {
        Self { since: now, past: None }
    }

    pub(super) fn note(&mut self, transition: &Transition, now: Tick) {
        let Transition { from, to, cause, observed, figures } = *transition;
        if observed {
            return;
        }
        let past = self.past.get_or_insert_default();
        past.spend(from, self.since, now);
        CircuitChange { from, to, cause, times: 1 }.add_to(&mut past.changes);
        past.open = to == CircuitState::Open;
        past.open_until = figures.open_for.map(|open_for| now.plus(open_for));
        self.since = now;
    }

    /// Time in each state, which is `state` now.
    pub(super) fn time_in(&self, state: CircuitState, now: Tick) -> [Duration; CircuitState::ALL.len()] {
        let (open, open_until, spent) =
            self.past.as_deref().map(|past| (past.open, past.open_until, past.spent)).unwrap_or_default();
        let mut past = Past { open, open_until, spent, changes: Vec::new() };
        // What is half-open because its time is over has not changed yet.
        let entered = if open { CircuitState::Open } else { state };
        past.spend(entered, self.since, now);
        past.spent
    }

    pub(super) fn changes(&self) -> &[CircuitChange] {
        self.past.as_ref().map_or(&[], |past| &past.changes)
    }

    pub(super) fn inherit(&mut self, changes: &[CircuitChange]) {
        for change in changes {
            change.add_to(&mut self.past.get_or_insert_default().changes);
        }
    }
}

impl Past {
    fn spend(&mut self, state: CircuitState, since: Tick, now: Tick) {
        let time = now.since(since);
        let beyond = match self.open_until {
            Some(end) if state == CircuitState::Open => now.since(end).min(time),
            _ => Duration::ZERO,
        };
        self.spent[state as usize] += time.saturating_sub(beyond);
        self.spent[CircuitState::HalfOpen as usize] += beyond;
    }
}

#[cfg(test)]
mod tests {
    use super::super::transition::Figures;
    use super::*;

    const fn at(seconds: u64) -> Tick {
        Tick::from_nanos(seconds * 1_000_000_000)
    }

    fn transition(from: CircuitState, to: CircuitState, cause: CircuitCause) -> Transition {
        let open_for = (to == CircuitState::Open).then_some(Duration::from_secs(10));
        let figures = Figures { open_for, ..Figures::default() };
        Transition { from, to, cause, observed: false, figures }
    }

    #[test]
    fn time_in_all_states_is_the_time_there_was() {
        use CircuitState::{Closed, HalfOpen, Open};
        let mut history = History::new(at(100));
        let seconds =
            |history: &History, state, now| history.time_in(state, at(now)).map(|time| time.as_secs());
        assert_eq!(seconds(&history, Closed, 103), [3, 0, 0, 0, 0, 0]);
        history.note(&transition(Closed, Open, CircuitCause::FailureThreshold), at(105));
        assert_eq!(seconds(&history, Open, 112), [5, 7, 0, 0, 0, 0]);
        assert_eq!(seconds(&history, HalfOpen, 118), [5, 10, 3, 0, 0, 0]);
        history.note(&transition(Open, HalfOpen, CircuitCause::OpenTimeElapsed), at(120));
        history.note(&transition(HalfOpen, Closed, CircuitCause::ProbesSucceeded), at(121));
        assert_eq!(seconds(&history, Closed, 130), [14, 10, 6, 0, 0, 0]);
        history.note(&transition(Closed, Open, CircuitCause::FailureThreshold), at(130));
        assert_eq!(history.changes().iter().map(|change| change.times).collect::<Vec<_>>(), [2, 1, 1]);
    }

    #[test]
    fn what_was_held_open_was_open_until_it_is_tried() {
        use CircuitState::{Closed, HalfOpen, Open};
        let mut history = History::new(at(0));
        let held = transition(Closed, Open, CircuitCause::HealthFailed);
        history.note(&Transition { figures: Figures::default(), ..held }, at(1));
        for state in [Open, HalfOpen] {
            assert_eq!(history.time_in(state, at(9))[Open as usize].as_secs(), 8);
        }
        history.note(&transition(Open, HalfOpen, CircuitCause::HealthUnknown), at(9));
        assert_eq!(history.time_in(HalfOpen, at(10)).map(|time| time.as_secs()), [1, 8, 1, 0, 0, 0]);
    }

    #[test]
    fn what_would_have_happened_is_no_change() {
        let mut history = History::new(at(0));
        let mut observed =
            transition(CircuitState::Closed, CircuitState::Open, CircuitCause::FailureThreshold);
        observed.observed = true;
        history.note(&observed, at(5));
        assert!(history.changes().is_empty());
        let spent = history.time_in(CircuitState::Observing, at(20));
        assert_eq!(spent[CircuitState::Observing as usize], Duration::from_secs(20));
    }
}

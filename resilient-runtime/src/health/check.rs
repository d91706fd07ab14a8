//! One check as the registry holds it: its settings, and what its runs found out.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use resilient_settings::Written;
use resilient_settings::stem::health_check as slot;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::probe::{Source, annotated};
use super::report::HealthStatus;
use super::settings::Terms;
use super::{Checks, contained, tell};
use crate::clock;
use crate::events::EventKind;
use crate::outcome::Class;
use crate::policy::circuit_breaker::{News, Says};
use crate::policy::{Policy, Snapshot, Stem};
use crate::registry::World;
use crate::tally::{Since, Tally};

pub(crate) static STEM: Stem = Stem {
    table: &slot::TABLE,
    limit: |_| None,
    least_waits: |_| None,
    create: |name, written| {
        let check = Check::new(name);
        check.apply(written);
        Box::leak(Box::new(check))
    },
};

/// Why a run of a check failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckFailure {
    /// It returned an error of this class.
    ///
    /// That of a check made by hand is not known.
    Error(Class),
    /// It took longer than it may.
    TimedOut,
    /// It panicked.
    Panicked,
}

impl CheckFailure {
    /// The class of the error, if it returned one.
    #[must_use]
    pub const fn class(self) -> Option<Class> {
        match self {
            Self::Error(class) => Some(class),
            Self::TimedOut | Self::Panicked => None,
        }
    }

    /// The cause in one word, for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error(_) => "error",
            Self::TimedOut => "timed_out",
            Self::Panicked => "panicked",
        }
    }
}

impl fmt::Display for CheckFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(class) => write!(f, "error, {}", class.as_str()),
            Self::TimedOut => f.write_str("timed out"),
            Self::Panicked => f.write_str("panicked"),
        }
    }
}

/// What is known of a health check as of now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HealthCheckSnapshot {
    /// Name of the check.
    pub name: &'static str,
    /// Whether the program is not ready while it fails.
    pub critical: bool,
    /// `Up` or `Down` as of its last run, `Unknown` without a recent one.
    pub status: HealthStatus,
    /// Why the last run failed, if it did.
    pub failure: Option<CheckFailure>,
    /// Time since the status became what it is, unless it is unknown.
    pub time_in_status: Option<Duration>,
    /// Time since the last run ended, unless the status is unknown.
    pub age: Option<Duration>,
    /// How long the last run took, unless the status is unknown.
    pub took: Option<Duration>,
    /// Longest time from the end of one run to the next one.
    pub interval: Duration,
    /// Time after which a run has failed.
    pub timeout: Duration,
    /// Whether it is run in the background.
    pub running: bool,
    /// Runs that succeeded.
    pub passed: u64,
    /// Runs that returned an error.
    pub failed: u64,
    /// Runs that took longer than they may.
    pub timed_out: u64,
    /// Runs that panicked.
    pub panicked: u64,
}

const PASSED: usize = 0;
const FAILED: usize = 1;
const TIMED_OUT: usize = 2;
const PANICKED: usize = 3;

/// A check as the registry holds it.
#[derive(Debug)]
pub(crate) struct Check {
    name: &'static str,
    runs: Tally,
    state: Mutex<State>,
    /// Its settings may have changed.
    pub(super) changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// What code by hand wrote, below what is installed.
    base: Option<Written>,
    written: Option<Written>,
    source: Option<Source>,
    task: Option<Task>,
    last: Option<Finding>,
    /// The number of the last change of what is known.
    number: u32,
}

/// What runs a check: one of those that a start has begun.
#[derive(Debug)]
struct Task {
    start: u64,
    handle: Option<AbortHandle>,
}

/// What the last run found out.
#[derive(Clone, Copy, Debug)]
struct Finding {
    result: Result<(), CheckFailure>,
    began: Instant,
    ended: Instant,
    /// When the result became what it is.
    since: Instant,
}

impl Check {
    fn new(name: &'static str) -> Self {
        let source = annotated().iter().find(|check| check.name() == name).copied().map(Source::Annotated);
        let state = State { source, ..State::default() };
        Self { name, runs: Tally::new(), state: Mutex::new(state), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// What makes its runs, unless only the configuration knows it.
    pub(super) fn source(&self) -> Option<Source> {
        self.state().source.clone()
    }

    pub(super) fn terms(&self) -> Terms {
        self.state().terms()
    }

    /// Takes a source made by hand, unless there is one.
    pub(super) fn adopt(&self, written: &Written, source: Source) -> Result<(), Source> {
        let mut state = self.state();
        if state.source.is_some() {
            return Err(source);
        }
        state.base = Some(*written);
        state.source = Some(source);
        Ok(())
    }

    /// Gives up a source made by hand, with whatever runs it.
    pub(super) fn forsake(&self, world: &'static World) -> bool {
        let mut state = self.state();
        let by_hand = state.source.take_if(|source| matches!(source, Source::ByHand(_)));
        let task = by_hand.is_some().then(|| state.task.take()).flatten();
        let lost = by_hand.is_some().then(|| state.forget(world)).flatten();
        if by_hand.is_some() {
            state.base = None;
        }
        drop(state);
        self.lost(world, lost);
        if let Some(handle) = task.and_then(|task| task.handle) {
            handle.abort();
        }
        by_hand.is_some()
    }

    /// Puts it under one start, unless another one that still runs has it.
    pub(super) fn claim(&self, start: u64) -> bool {
        let mut state = self.state();
        let free = state.task.as_ref().is_none_or(Task::is_over);
        if free {
            state.task = Some(Task { start, handle: None });
        }
        free
    }

    /// Keeps what ends the task, or ends it if the start is over.
    pub(super) fn keep(&self, start: u64, handle: AbortHandle) {
        let mut state = self.state();
        match &mut state.task {
            Some(task) if task.start == start => task.handle = Some(handle),
            _ => {
                drop(state);
                handle.abort();
            }
        }
    }

    /// Whether this start runs it.
    pub(super) fn is_run_by(&self, start: u64) -> bool {
        self.state().task.as_ref().is_some_and(|task| task.start == start && !task.is_over())
    }

    /// Ends what this start runs: what it found out counts no more.
    pub(super) fn leave(&self, world: &'static World, start: u64) {
        let mut state = self.state();
        let Some(task) = state.task.take_if(|task| task.start == start) else { return };
        let lost = state.forget(world);
        drop(state);
        self.lost(world, lost);
        if let Some(handle) = task.handle {
            handle.abort();
        }
    }

    fn lost(&self, world: &'static World, from: Option<HealthStatus>) {
        if let Some(from) = from {
            self.tell(world, from, HealthStatus::Unknown, None);
        }
    }

    /// Takes what a run of this start found out; false if the start is over.
    pub(super) fn found(
        &self,
        world: &'static World,
        start: u64,
        began: Instant,
        result: Result<(), CheckFailure>,
    ) -> bool {
        let ended = clock::now();
        let mut state = self.state();
        if state.task.as_ref().is_none_or(|task| task.start != start) {
            return false;
        }
        let from = state.status(ended);
        let same =
            state.last.filter(|last| from != HealthStatus::Unknown && last.result.is_ok() == result.is_ok());
        let since = same.map_or(ended, |last| last.since);
        state.last = Some(Finding { result, began, ended, since });
        state.number = world.checks.next_finding();
        drop(state);
        self.runs.add(counter(result), 1);
        self.tell(world, from, HealthStatus::of(result.is_ok()), result.err());
        true
    }

    /// Tells those that heed it, and whoever listens if the status is another one.
    fn tell(
        &self,
        world: &'static World,
        from: HealthStatus,
        to: HealthStatus,
        failure: Option<CheckFailure>,
    ) {
        if from != to {
            let changed = EventKind::HealthChanged { from, to, failure };
            contained(|| world.bus.emit(STEM.name, self.name, None, &changed));
        }
        tell(world);
    }

    /// What it says to those that heed it.
    pub(super) fn news(&self, checks: &Checks) -> News {
        let now = clock::now();
        let state = self.state();
        let left = |last: Finding| {
            state.terms().validity().saturating_sub(now.saturating_duration_since(last.ended))
        };
        let says = match (state.status(now), state.last) {
            (HealthStatus::Up, Some(last)) => Says::Passing(last.began.into()),
            (HealthStatus::Down, Some(last)) => Says::Failing(left(last)),
            // What nobody knows is as new as anything that anybody knows.
            _ => return News { number: checks.latest(), says: Says::Unknown },
        };
        News { number: state.number, says }
    }

    pub(super) fn snapshot(&self) -> HealthCheckSnapshot {
        self.count(Tally::total)
    }

    pub(super) fn count(&self, count: Since) -> HealthCheckSnapshot {
        let now = clock::now();
        let state = self.state();
        let Terms { critical, interval, timeout } = state.terms();
        let status = state.status(now);
        let last = state.last.filter(|_| status != HealthStatus::Unknown);
        let runs = |counter| count(&self.runs, counter);
        HealthCheckSnapshot {
            name: self.name,
            critical,
            status,
            failure: last.and_then(|last| last.result.err()),
            time_in_status: last.map(|last| now.saturating_duration_since(last.since)),
            age: last.map(|last| now.saturating_duration_since(last.ended)),
            took: last.map(|last| last.ended.saturating_duration_since(last.began)),
            interval,
            timeout,
            running: state.task.as_ref().is_some_and(|task| !task.is_over()),
            passed: runs(PASSED),
            failed: runs(FAILED),
            timed_out: runs(TIMED_OUT),
            panicked: runs(PANICKED),
        }
    }
}

impl Task {
    fn is_over(&self) -> bool {
        self.handle.as_ref().is_some_and(AbortHandle::is_finished)
    }
}

impl State {
    fn terms(&self) -> Terms {
        let nothing = &Written::NOTHING;
        Terms::new(self.base.as_ref().unwrap_or(nothing), self.written.as_ref().unwrap_or(nothing))
    }

    /// A finding that is too old is worth nothing: whatever runs the check hangs.
    fn status(&self, now: Instant) -> HealthStatus {
        let validity = self.terms().validity();
        let valid = self.last.filter(|last| now.saturating_duration_since(last.ended) <= validity);
        valid.map_or(HealthStatus::Unknown, |last| HealthStatus::of(last.result.is_ok()))
    }

    /// Forgets what is known; gives the status that this ends.
    fn forget(&mut self, world: &World) -> Option<HealthStatus> {
        let from = self.status(clock::now());
        self.last = None;
        self.number = world.checks.next_finding();
        (from != HealthStatus::Unknown).then_some(from)
    }
}

const fn counter(result: Result<(), CheckFailure>) -> usize {
    match result {
        Ok(()) => PASSED,
        Err(CheckFailure::Error(_)) => FAILED,
        Err(CheckFailure::TimedOut) => TIMED_OUT,
        Err(CheckFailure::Panicked) => PANICKED,
    }
}

impl Policy for Check {
    fn apply(&self, written: &Written) {
        self.state().written = Some(*written);
        self.changed.notify_one();
    }

    fn snapshot(&self, count: Since) -> Snapshot {
        Snapshot::HealthCheck(self.count(count))
    }

    /// What is known now is no statistics, and stays.
    fn reset(&self) {
        self.runs.reset();
    }
}

//! What the calls of one load shedder share.

#[cfg(feature = "health")]
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use resilient_settings::Written;
use resilient_settings::stem::{load_shed as slot, observes};

use super::call::{Stage, Verdict};
use super::gate::Gate;
use super::overload::{NOTHING, OBSERVES, Overload, REFUSES};
use super::settings::{Settings, ShedMode};
use super::throttle::Totals;
use super::throttled::Throttled;
use super::{ByPriority, LoadShedSnapshot, STEM};
use crate::error::Rejected;
use crate::events::EventKind;
#[cfg(feature = "health")]
use crate::health::Readiness;
use crate::priority::Priority;
use crate::tally::{Since, Tally};
use crate::{clock, random, registry};

/// Counters of calls, the first of four by priority.
const ADMITTED: usize = 0;
const REJECTED: usize = 4;
const WOULD_REJECT: usize = 8;

#[derive(Debug)]
pub(super) struct Shared {
    name: &'static str,
    throttles: AtomicBool,
    enabled: AtomicBool,
    observes: AtomicBool,
    overload: Overload,
    gate: Gate,
    throttled: Throttled,
    tally: Tally,
    #[cfg(feature = "health")]
    readiness: AtomicUsize,
}

impl Shared {
    pub(super) fn new(name: &'static str, written: &Written) -> Self {
        let (now, settings) = (clock::tick(), Settings::of(written));
        Self {
            name,
            throttles: AtomicBool::new(settings.mode == ShedMode::Throttle),
            enabled: AtomicBool::new(written.is_on(slot::ENABLED)),
            observes: AtomicBool::new(observes(written, slot::ENFORCEMENT)),
            overload: Overload::new(),
            gate: Gate::new(now, &settings),
            throttled: Throttled::new(clock::earlier(), settings.ratio),
            tally: Tally::new(),
            #[cfg(feature = "health")]
            readiness: AtomicUsize::new(Readiness::of(written, slot::READINESS) as usize),
        }
    }

    pub(super) fn apply(&self, written: &Written) {
        let (now, settings) = (clock::tick(), Settings::of(written));
        self.enabled.store(written.is_on(slot::ENABLED), Relaxed);
        self.observes.store(observes(written, slot::ENFORCEMENT), Relaxed);
        self.gate.apply(now, &settings);
        self.throttled.apply(settings.ratio);
        #[cfg(feature = "health")]
        self.readiness.store(Readiness::of(written, slot::READINESS) as usize, Relaxed);
        let throttles = settings.mode == ShedMode::Throttle;
        if self.throttles.swap(throttles, Relaxed) != throttles {
            self.throttled.reset(clock::earlier(), self.totals());
        }
    }

    pub(super) fn reset(&self) {
        self.gate.reset(clock::tick());
        self.throttled.reset(clock::earlier(), self.totals());
        self.overload.forget(self.rejected(), self.would_reject());
        self.tally.reset();
    }

    #[cfg(feature = "health")]
    pub(super) fn readiness(&self) -> Readiness {
        Readiness::ALL[self.readiness.load(Relaxed)]
    }

    #[cfg(feature = "health")]
    pub(super) fn refuses(&self) -> bool {
        self.overload.refuses()
    }

    #[inline]
    pub(super) fn enter(&self, priority: Priority) -> Result<Stage, Rejected> {
        if self.throttles.load(Relaxed) {
            return self.enter_throttled(priority);
        }
        let entered = match self.gate.enter(priority) {
            Some(entered) => entered,
            None => self.refuse(priority).map(|()| self.gate.enter_anyhow())?,
        };
        self.tally.add(ADMITTED + priority as usize, 1);
        Ok(if entered.measured { Stage::measured(clock::tick()) } else { Stage::UNMEASURED })
    }

    fn enter_throttled(&self, priority: Priority) -> Result<Stage, Rejected> {
        let now = clock::earlier();
        if !self.throttled.is_calm(now) {
            let share = self.throttled.share_of(priority, now, self.totals());
            if share > 0.0 && random::unit() < share {
                self.refuse(priority)?;
            }
        }
        self.tally.add(ADMITTED + priority as usize, 1);
        Ok(Stage::THROTTLED)
    }

    #[inline]
    pub(super) fn leave(&self, stage: Stage, verdict: Verdict) {
        if stage == Stage::THROTTLED {
            return self.leave_throttled(verdict);
        }
        self.gate.leave();
        if let (Some(begun), Some(end)) = (stage.begun(), verdict.end()) {
            let now = clock::tick();
            if self.gate.measure(begun, now, end) {
                self.close(now);
            }
        }
    }

    #[inline]
    fn leave_throttled(&self, verdict: Verdict) {
        if let Verdict::Overload | Verdict::Failure = verdict {
            self.throttled.fail(clock::earlier(), self.totals());
        } else if self.overload.does() != NOTHING {
            self.end_overload(self.throttled.is_calm(clock::earlier()));
        }
    }

    #[cold]
    fn close(&self, now: clock::Tick) {
        // What it learns is the same, whether calls were refused or would have been.
        let refused_none = self.gate.close(now, self.rejected() + self.would_reject());
        self.end_overload(refused_none);
    }

    /// Refuses a call, unless it is to pass all the same.
    #[cold]
    fn refuse(&self, priority: Priority) -> Result<(), Rejected> {
        if !self.enabled.load(Relaxed) {
            return Ok(());
        }
        if !self.observes.load(Relaxed) {
            return Err(self.reject(priority));
        }
        self.tally.add(WOULD_REJECT + priority as usize, 1);
        self.begin_overload(OBSERVES, priority);
        registry::emit(STEM.name, self.name, || EventKind::WouldReject { retry_after: None });
        Ok(())
    }

    /// What is done about an overload.
    fn does(&self) -> u8 {
        match (self.enabled.load(Relaxed), self.observes.load(Relaxed)) {
            (false, _) => NOTHING,
            (true, false) => REFUSES,
            (true, true) => OBSERVES,
        }
    }

    fn reject(&self, priority: Priority) -> Rejected {
        self.tally.add(REJECTED + priority as usize, 1);
        self.overload.refused();
        self.begin_overload(REFUSES, priority);
        registry::emit(STEM.name, self.name, || EventKind::Rejected { retry_after: None });
        Rejected::Overloaded { name: self.name, priority }
    }

    /// Tells that the first call was refused, or would have been, since none was.
    fn begin_overload(&self, does: u8, priority: Priority) {
        if self.overload.does() == does {
            return;
        }
        self.end_overload(false);
        if let Some(_telling) = self.overload.begin(does) {
            let observed = does == OBSERVES;
            registry::emit(STEM.name, self.name, || EventKind::OverloadBegan { priority, observed });
        }
    }

    /// Tells that an overload is over: it `is`, or something else is done about it by now.
    #[cold]
    fn end_overload(&self, is: bool) {
        let does = self.overload.does();
        if does == NOTHING || !is && does == self.does() {
            return;
        }
        if let Some(_telling) = self.overload.end(does) {
            let observed = does == OBSERVES;
            let calls = if observed { self.would_reject() } else { self.rejected() };
            let rejected = self.overload.untold(does, calls);
            registry::emit(STEM.name, self.name, || EventKind::OverloadEnded { rejected, observed });
        }
    }

    /// Calls refused since the first day.
    fn rejected(&self) -> u64 {
        Priority::ALL.iter().map(|priority| self.tally.sum(REJECTED + *priority as usize)).sum()
    }

    fn would_reject(&self) -> u64 {
        Priority::ALL.iter().map(|priority| self.tally.sum(WOULD_REJECT + *priority as usize)).sum()
    }

    fn totals(&self) -> Totals {
        let refused = self.rejected();
        let came = Priority::ALL.map(|priority| {
            let priority = priority as usize;
            self.tally.sum(ADMITTED + priority) + self.tally.sum(REJECTED + priority)
        });
        Totals { came, refused }
    }

    fn by_priority(&self, count: Since, counter: usize) -> ByPriority {
        let of = |priority: Priority| count(&self.tally, counter + priority as usize);
        ByPriority {
            critical: of(Priority::Critical),
            important: of(Priority::Important),
            normal: of(Priority::Normal),
            optional: of(Priority::Optional),
        }
    }

    pub(super) fn count(&self, count: Since) -> LoadShedSnapshot {
        let (baseline, queue_time) = self.gate.learned();
        let (mode, share) = if self.throttles.load(Relaxed) {
            (ShedMode::Throttle, self.throttled.share(clock::earlier(), self.totals()))
        } else {
            (ShedMode::Concurrency, 0.0)
        };
        LoadShedSnapshot {
            name: self.name,
            enabled: self.enabled.load(Relaxed),
            observes: self.observes.load(Relaxed),
            mode,
            limit: self.gate.limit(),
            running: self.gate.running(),
            baseline,
            queue_time,
            share,
            overloaded: self.overload.refuses(),
            admitted: self.by_priority(count, ADMITTED),
            rejected: self.by_priority(count, REJECTED),
            would_reject: self.by_priority(count, WOULD_REJECT),
        }
    }
}

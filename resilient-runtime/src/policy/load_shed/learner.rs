//! How many calls may run at once: windows of measured calls in, limits out. No clock, lock or events.
//!
//! Calls that queue behind one another take longer than calls that do not. The learner knows how long a
//! call takes when none queues, its baseline, lowers the limit while calls take longer than that and may
//! queue, and raises it while they do not and it is in use.
//!
//! A baseline measured while calls queue is too long, so only windows with few calls at once raise it. Where
//! there are none, because the load never ends, the learner makes one: it lowers the limit until the queue
//! has gone, and counts only calls that began after that.

use std::time::Duration;

use resilient_settings::nanos;

use super::settings::{Limits, ShedAlgorithm};
use crate::clock::Tick;

/// Calls that say something about the others.
pub(super) const ENOUGH: u64 = 20;
/// A drop is a call that timed out, or that the dependency asked not to make; this many of a hundred are
/// tolerated, for some time out on the best of days.
const DROPS_TOLERATED: u64 = 10;
/// What a drop, or calls that take too long, leave of the limit.
const BACKOFF: f64 = 0.9;
/// How far the limit goes towards where calls no longer queue.
const HASTE: f64 = 0.5;
/// How far a window moves the baseline down, and up.
const DOWN: f64 = 0.1;
const UP: f64 = 0.02;
/// Between two measurements of the baseline, which take a few times as long as calls do.
const REST: Duration = Duration::from_secs(30);
const REST_IN_CALLS: f64 = 100.0;
/// The same where the limit fell to a quarter, or the last measurement was far off.
const SHORT_REST_IN_CALLS: f64 = 20.0;

/// What was seen of the calls in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Calls that ended well, and the time they took together.
    pub(super) samples: u64,
    pub(super) total: u64,
    /// Calls that ended because there were too many.
    pub(super) drops: u64,
    /// Most that were under way when one of them began.
    pub(super) peak: u32,
    /// Whether calls were refused.
    pub(super) refused: bool,
}

/// What to see next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Calls that may run at once.
    pub(super) limit: u32,
    /// The same for critical ones, which a measurement spares if it can.
    pub(super) critical: u32,
    /// Calls that end before this still queued as they did under another limit.
    pub(super) from: Tick,
    /// Calls that began before this do not count, whenever they end.
    pub(super) begun: Tick,
    /// The window is over then if enough was seen.
    pub(super) until: Tick,
    /// The window is over then.
    pub(super) give_up: Tick,
    /// A call that is given up after this was too slow; zero before any has ended well.
    pub(super) slow: Duration,
    /// When this was decided.
    pub(super) made: Tick,
}

impl Plan {
    pub(super) const fn takes(&self, begun: Tick, now: Tick) -> bool {
        now.nanos() >= self.from.nanos() && begun.nanos() >= self.begun.nanos()
    }

    pub(super) const fn is_over(&self, now: Tick, seen: u64) -> bool {
        (seen >= ENOUGH && now.nanos() >= self.until.nanos()) || now.nanos() >= self.give_up.nanos()
    }
}

/// Times are in nanoseconds, as numbers one can multiply.
#[derive(Clone, Debug)]
pub(super) struct Learner {
    limit: f64,
    baseline: Option<f64>,
    /// How long calls took in the last window.
    took: f64,
    measuring: Option<Measuring>,
    /// When it may be measured next, and when it may be if the limit fell that much.
    measure_at: Tick,
    measure_early: Tick,
    /// Whether calls were slow since it was last known to be right.
    doubted: bool,
    /// The limit when that began.
    highest: f64,
}

/// The baseline is being measured.
#[derive(Clone, Copy, Debug)]
struct Measuring {
    /// The limit before.
    before: f64,
    /// Critical calls go by that one.
    sparing: bool,
}

impl Learner {
    pub(super) fn new(limits: &Limits) -> Self {
        let limit = f64::from(limits.initial);
        Self {
            limit,
            baseline: None,
            took: 0.0,
            measuring: None,
            measure_at: Tick::ZERO,
            measure_early: Tick::ZERO,
            doubted: false,
            highest: limit,
        }
    }

    /// The first window, or the one after the settings have changed.
    pub(super) fn plan(&mut self, now: Tick, limits: &Limits) -> Plan {
        self.limit = self.measuring.take().map_or(self.limit, |measuring| measuring.before);
        // The clock may have been another one.
        (self.measure_at, self.measure_early) = (now, now);
        self.clamp(limits);
        self.next(now, now, limits)
    }

    /// How long a call takes when none queues.
    pub(super) fn baseline(&self) -> Option<Duration> {
        self.baseline.map(time)
    }

    /// How long calls queued in the last window.
    pub(super) fn queue_time(&self) -> Duration {
        self.baseline.map_or(Duration::ZERO, |baseline| time((self.took - baseline).max(0.0)))
    }

    /// A window is over.
    pub(super) fn close(&mut self, now: Tick, seen: &Seen, limits: &Limits) -> Plan {
        if seen.samples > 0 {
            self.took = number(seen.total) / number(seen.samples);
        }
        if let Some(Measuring { before, sparing }) = self.measuring.take() {
            // Critical calls alone may have kept a queue.
            let busy = f64::from(seen.peak) > 2.0 * self.limit;
            if sparing && busy {
                return self.measure(now, Measuring { before, sparing: false }, limits);
            }
            self.measured(now, seen, before);
            self.clamp(limits);
            return self.next(now, now, limits);
        }
        let dropped = seen.drops * 100 > (seen.drops + seen.samples) * DROPS_TOLERATED;
        if !dropped {
            self.observe(now, seen, limits);
        }
        let slow = seen.samples > 0 && self.target(limits).is_some_and(|target| self.took > target);
        if (slow || dropped) && !self.doubted {
            (self.doubted, self.highest) = (true, self.limit);
        }
        // Where the limit is not felt, a wrong baseline does no harm, but measuring it would.
        if self.doubted && self.is_used(seen) && tells(seen) && self.is_time(now) {
            return self.measure(now, Measuring { before: self.limit, sparing: true }, limits);
        }
        let before = self.limit;
        self.limit = self.moved(seen, slow, dropped, limits);
        self.clamp(limits);
        // What ends in the next moments queued as the limit was.
        let settled = if self.limit < before { now.plus(time(self.took)) } else { now };
        self.next(now, settled, limits)
    }

    /// Learns from a window how long calls take. Not from one in which many timed out: those that did not
    /// were the short ones.
    fn observe(&mut self, now: Tick, seen: &Seen, limits: &Limits) {
        if tells(seen) {
            let light = f64::from(seen.peak) <= self.light(limits);
            match &mut self.baseline {
                Some(baseline) if self.took < *baseline => *baseline += DOWN * (self.took - *baseline),
                Some(baseline) if light => *baseline += UP * (self.took - *baseline),
                Some(_) => {}
                none => {
                    *none = Some(self.took);
                    // It may have been measured while calls queued.
                    (self.doubted, self.highest) = (seen.refused, self.limit);
                    self.rest(now, SHORT_REST_IN_CALLS);
                }
            }
            if light {
                self.doubted = false;
            }
        }
    }

    fn target(&self, limits: &Limits) -> Option<f64> {
        self.baseline
            .map(|baseline| baseline + limits.queue_time.map_or(baseline, |most| number(nanos(most))))
    }

    /// So few at once that none queues: half of what the dependency can do, if the limit is right.
    fn light(&self, limits: &Limits) -> f64 {
        let factor = match (self.target(limits), self.baseline) {
            (Some(target), Some(baseline)) if baseline > 0.0 => target / baseline,
            _ => 2.0,
        };
        (self.limit / (2.0 * factor)).max(1.0)
    }

    fn is_used(&self, seen: &Seen) -> bool {
        seen.refused || f64::from(seen.peak) * 2.0 >= self.limit
    }

    fn moved(&self, seen: &Seen, slow: bool, dropped: bool, limits: &Limits) -> f64 {
        let used = self.is_used(seen);
        if dropped {
            return self.limit * BACKOFF;
        }
        if slow {
            let shrunk = match (limits.algorithm, self.target(limits)) {
                (ShedAlgorithm::Gradient, Some(target)) => {
                    let gradient = (target / self.took).clamp(0.5, 1.0);
                    self.limit * (1.0 - HASTE + HASTE * gradient)
                }
                _ => self.limit * BACKOFF,
            };
            // What nobody uses slows nobody down: the limit then only comes to where it is felt.
            return if used { shrunk } else { shrunk.max(f64::from(seen.peak) * 2.0).min(self.limit) };
        }
        match limits.algorithm {
            _ if !used || seen.samples == 0 => self.limit,
            ShedAlgorithm::Gradient => self.limit + self.limit.sqrt(),
            ShedAlgorithm::Aimd => self.limit + 1.0,
        }
    }

    fn clamp(&mut self, limits: &Limits) {
        self.limit = self.limit.clamp(f64::from(limits.min), f64::from(limits.max));
    }

    fn is_time(&self, now: Tick) -> bool {
        now >= self.measure_at || (self.limit <= self.highest / 4.0 && now >= self.measure_early)
    }

    /// Lowers the limit until the queue has gone, and starts the window then.
    fn measure(&mut self, now: Tick, measuring: Measuring, limits: &Limits) -> Plan {
        self.measuring = Some(measuring);
        self.limit = measuring.before;
        self.limit = self.light(limits);
        let gone = now.plus(time(2.0 * self.took));
        let plan = self.next(now, gone, limits);
        Plan { begun: now, give_up: plan.until.plus(time(10.0 * self.took)), ..plan }
    }

    fn measured(&mut self, now: Tick, seen: &Seen, before: f64) {
        let mut rest = REST_IN_CALLS;
        if tells(seen) {
            // What queued before may still queue now, behind fewer: then the next measurement is nearer.
            if self.baseline.is_none_or(|baseline| self.took < baseline * 0.7) {
                rest = SHORT_REST_IN_CALLS;
            }
            self.baseline = Some(self.took);
        }
        self.limit = before;
        (self.doubted, self.highest) = (rest < REST_IN_CALLS, before);
        self.rest(now, rest);
    }

    fn rest(&mut self, now: Tick, calls: f64) {
        self.measure_early = now.plus(time(SHORT_REST_IN_CALLS * self.took));
        let rest = time(calls * self.took);
        self.measure_at = now.plus(if calls < REST_IN_CALLS { rest } else { rest.max(REST) });
    }

    /// A window from `from` on, long enough for calls that begin in it to end in it.
    fn next(&self, now: Tick, from: Tick, limits: &Limits) -> Plan {
        let length = limits.window.max(time(self.took));
        let slow = time(self.target(limits).unwrap_or(2.0 * self.took));
        let spared = self.measuring.filter(|measuring| measuring.sparing).map(|measuring| measuring.before);
        Plan {
            limit: whole(self.limit),
            critical: whole(spared.unwrap_or(self.limit)),
            from,
            begun: Tick::ZERO,
            until: from.plus(length),
            give_up: Tick::MAX,
            slow,
            made: now,
        }
    }
}

/// Whether there are calls enough to tell how long they take.
const fn tells(seen: &Seen) -> bool {
    seen.samples * 2 >= ENOUGH
}

/// Not rounded up: a limit of 1.9 is no limit of 2.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the settings")]
const fn whole(limit: f64) -> u32 {
    limit as u32
}

#[expect(clippy::cast_precision_loss, reason = "a nanosecond in a month does not matter")]
const fn number(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is not negative")]
const fn time(nanos: f64) -> Duration {
    Duration::from_nanos(nanos as u64)
}

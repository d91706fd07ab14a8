//! Who may try while a breaker recovers: probes at first, then a growing share.

use std::time::Duration;

use resilient_settings::nanos;

use super::word;
use crate::clock::Tick;

/// Probes are numbered from 1; the numbers above mean something else in a ticket.
pub(super) const LAST_PROBE: u32 = word::MOST - 2;

/// The places of one half-open episode.
///
/// A place is leased: a probe that never answers loses it to another caller.
#[derive(Debug, Default)]
pub(super) struct Probes {
    running: Vec<Probe>,
    last: u32,
    succeeded: u32,
}

#[derive(Debug)]
struct Probe {
    number: u32,
    since: Tick,
}

impl Probes {
    /// A new episode, in the memory of the old one.
    pub(super) fn restart(&mut self) {
        self.running.clear();
        self.succeeded = 0;
    }

    /// A number for the probe, or the time until the oldest one loses its place.
    pub(super) fn admit(&mut self, now: Tick, places: u32, lease: Duration) -> Result<u32, Duration> {
        let places = places as usize;
        if self.running.len() >= places {
            self.expire(now, lease);
        }
        if self.running.len() >= places {
            return Err(self.remaining(now, lease));
        }
        self.last = self.last % LAST_PROBE + 1;
        self.running.push(Probe { number: self.last, since: now });
        Ok(self.last)
    }

    fn expire(&mut self, now: Tick, lease: Duration) {
        for probe in &mut self.running {
            // A start that lies ahead was read from another clock.
            probe.since = probe.since.min(now);
        }
        self.running.retain(|probe| now.since(probe.since) < lease);
    }

    /// Time until the oldest probe loses its place, nothing if a place is free.
    pub(super) fn wait(&self, now: Tick, places: u32, lease: Duration) -> Option<Duration> {
        let wait = self.remaining(now, lease);
        (self.running.len() >= places as usize && !wait.is_zero()).then_some(wait)
    }

    fn remaining(&self, now: Tick, lease: Duration) -> Duration {
        let oldest = self.running.iter().map(|probe| now.since(probe.since)).max().unwrap_or_default();
        lease.saturating_sub(oldest)
    }

    /// Gives the place back, if it has not been lost.
    pub(super) fn leave(&mut self, number: u32) {
        self.running.retain(|probe| probe.number != number);
    }

    /// Counts one success of this episode.
    pub(super) fn succeed(&mut self) -> u32 {
        self.succeeded += 1;
        self.succeeded
    }

    pub(super) const fn succeeded(&self) -> u32 {
        self.succeeded
    }
}

/// A share of the calls that grows from nothing to all.
#[derive(Debug)]
pub(super) struct Ramp {
    since: Tick,
    /// Shares of the calls so far, less the calls let through.
    credit: u64,
}

/// One call.
const WHOLE: u64 = 1 << 32;

impl Ramp {
    /// Lets the first call through, for it may be the only one for a while.
    pub(super) const fn new(now: Tick) -> Self {
        Self { since: now, credit: WHOLE }
    }

    /// Whether a call at `now` passes; nothing once all do.
    pub(super) fn admit(&mut self, now: Tick, over: Duration) -> Option<bool> {
        self.since = self.since.min(now);
        let (elapsed, over) = (nanos(now.since(self.since)), nanos(over));
        if elapsed >= over {
            return None;
        }
        let share = u128::from(elapsed) * u128::from(WHOLE) / u128::from(over);
        self.credit += u64::try_from(share).unwrap_or(WHOLE);
        let passes = self.credit >= WHOLE;
        if passes {
            self.credit -= WHOLE;
        }
        Some(passes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> Tick {
        Tick::from_nanos(1 << 62).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_place_comes_back_once() {
        let mut probes = Probes::default();
        let first = probes.admit(at(0), 2, LEASE).expect("two are free");
        probes.admit(at(0), 2, LEASE).expect("one is free");
        probes.leave(first);
        probes.leave(first);
        probes.admit(at(0), 2, LEASE).expect("one came back");
        assert_eq!(probes.admit(at(0), 2, LEASE), Err(LEASE));
    }

    #[test]
    fn the_oldest_probe_sets_the_wait() {
        let mut probes = Probes::default();
        for second in [0, 4] {
            probes.admit(at(second), 2, LEASE).expect("free");
        }
        assert_eq!(probes.wait(at(7), 2, LEASE), Some(Duration::from_secs(3)));
        assert_eq!(probes.admit(at(7), 2, LEASE), Err(Duration::from_secs(3)));
        assert_eq!(probes.wait(at(10), 2, LEASE), None);
        assert!(probes.admit(at(10), 2, LEASE).is_ok());
    }

    #[test]
    fn a_probe_from_the_future_ages_from_now() {
        let mut probes = Probes::default();
        probes.admit(at(1_000), 1, LEASE).expect("free");
        assert_eq!(probes.admit(at(0), 1, LEASE), Err(LEASE));
        assert!(probes.admit(at(10), 1, LEASE).is_ok());
    }

    #[test]
    fn a_ramp_admits_a_growing_share() {
        let over = Duration::from_secs(100);
        let mut ramp = Ramp::new(at(0));
        let mut passed = |from: u64| {
            let share = (0..1_000).filter(|_| ramp.admit(at(from), over) == Some(true)).count();
            share.div_ceil(10)
        };
        assert_eq!([passed(10), passed(50), passed(90)], [10, 50, 90]);
        assert_eq!(ramp.admit(at(100), over), None);
    }

    #[test]
    fn a_ramp_lets_the_first_call_through() {
        let mut ramp = Ramp::new(at(0));
        assert_eq!(ramp.admit(at(0), LEASE), Some(true));
        assert_eq!(ramp.admit(at(0), LEASE), Some(false));
    }

    #[test]
    fn a_ramp_of_another_clock_ends() {
        let mut ramp = Ramp::new(at(1_000));
        ramp.admit(at(0), LEASE);
        assert_eq!(ramp.admit(at(10), LEASE), None);
    }
}

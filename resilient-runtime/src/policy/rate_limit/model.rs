//! The line of a limit against a list that is laid out anew for every question.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Wake, Waker};
use std::time::Duration;

use proptest::prelude::*;
use resilient_settings::Rate;

use super::limiter::{Limiter, ONLY, Terms};
use super::line::{Arrival, Turn};
use crate::clock::{self, Tick};
use crate::prop::cases;

#[derive(Clone, Debug)]
enum Step {
    Arrive { permits: u32, patience: u64 },
    Leave(usize),
    Pass(u64),
    Change { period: u64, burst: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    let patience = prop_oneof![2 => Just(u64::MAX), 1 => 0..20_000_u64];
    prop_oneof![
        6 => (1..5_u32, patience).prop_map(|(permits, patience)| Step::Arrive { permits, patience }),
        3 => any::<usize>().prop_map(Step::Leave),
        4 => prop_oneof![0..3_000_u64, Just(1_000)].prop_map(Step::Pass),
        1 => (1..3_000_u64, 1..6_u32).prop_map(|(period, burst)| Step::Change { period, burst }),
    ]
}

/// One permit in each `period` of nanoseconds: a unit of the line is a nanosecond.
fn terms(period: u64, burst: u32) -> Terms {
    let rate = Rate::new(1, Duration::from_nanos(period));
    Terms { rate, burst, max_wait: Duration::from_secs(1), max_keys: 1, enabled: true, observes: false }
}

/// A call that waits, or room that one left between others.
#[derive(Clone, Copy, Debug)]
struct Slot {
    permits: u64,
    call: Option<usize>,
    /// In nanoseconds; other settings give a hole no new length, they close it.
    cost: u64,
}

/// Times in nanoseconds; the slots lie end to end from the mark on.
struct Naive {
    period: u64,
    burst: u64,
    mark: u64,
    slots: Vec<Slot>,
}

impl Naive {
    fn room(&self) -> u64 {
        self.burst * self.period
    }

    /// When a call starts whose permits end there.
    fn due(&self, end: u64) -> u64 {
        end - self.room().min(end)
    }

    fn take(&mut self, cost: u64, now: u64) -> bool {
        let next = self.mark.max(now) + cost;
        let fits = next <= now + self.room();
        self.mark = if fits { next } else { self.mark };
        fits
    }

    /// Nothing where the call enters; otherwise whether it waits, and until when.
    fn arrive(&mut self, call: usize, permits: u64, patience: u64, now: u64) -> Option<(bool, Option<u64>)> {
        if permits > self.burst {
            return Some((false, None));
        }
        let cost = permits * self.period;
        if self.slots.is_empty() && self.take(cost, now) {
            return None;
        }
        let hole = self.slots.iter().position(|slot| slot.call.is_none() && slot.cost >= cost);
        let at = hole.unwrap_or(self.slots.len());
        let before: u64 = self.slots[..at].iter().map(|slot| slot.cost).sum();
        let due = self.due(self.mark.max(now) + before + cost);
        let waits = due - now <= patience;
        if waits {
            self.slots.insert(at, Slot { permits, call: Some(call), cost });
            if let Some(hole) = self.slots.get_mut(at + 1).filter(|_| hole.is_some()) {
                hole.cost -= cost;
            }
        }
        self.tidy();
        Some((waits, Some(due)))
    }

    fn leave(&mut self, call: usize) {
        for slot in &mut self.slots {
            slot.call = slot.call.filter(|other| *other != call);
        }
        self.tidy();
    }

    /// Holes before the first are closed, those behind the last are nobody's, and neighbours are one.
    fn tidy(&mut self) {
        let mut tidy: Vec<Slot> = Vec::new();
        for slot in self.slots.drain(..).filter(|slot| slot.cost > 0) {
            match tidy.last_mut() {
                None if slot.call.is_none() => {}
                Some(last) if last.call.is_none() && slot.call.is_none() => last.cost += slot.cost,
                _ => tidy.push(slot),
            }
        }
        while tidy.last().is_some_and(|last| last.call.is_none()) {
            tidy.pop();
        }
        self.slots = tidy;
    }

    /// The calls that start by now, in order.
    fn started(&mut self, now: u64) -> Vec<usize> {
        let mut started = Vec::new();
        while let Some(&Slot { cost, call: Some(call), .. }) = self.slots.first() {
            if !self.take(cost, now) {
                break;
            }
            self.slots.remove(0);
            self.tidy();
            started.push(call);
        }
        started
    }

    /// When the first starts.
    fn next(&self, now: u64) -> Option<u64> {
        Some(self.due(self.mark.max(now) + self.slots.first()?.cost))
    }

    fn change(&mut self, period: u64, burst: u64, now: u64) {
        let debt = self.mark.saturating_sub(now).min(self.room());
        let (room, before) = (burst * period, self.room());
        (self.period, self.burst) = (period, burst);
        let owed = (u128::from(debt) * u128::from(room)).div_ceil(u128::from(before));
        self.mark = now + u64::try_from(owed).expect("a part of the burst");
        self.slots.retain(|slot| slot.call.is_some());
        for slot in &mut self.slots {
            // Who waits for more than a burst by now is turned away, and leaves a hole of one unit.
            let fits = slot.permits <= burst;
            slot.call = slot.call.filter(|_| fits);
            slot.cost = if fits { slot.permits * period } else { 1 };
        }
        self.tidy();
    }
}

/// Of forty calls of four permits, and patience of two milliseconds for each.
const LONG: u64 = 100_000_000;

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

/// A call that is asked about its turn when it is woken, or when it was told to ask again, and not before.
struct Waits {
    call: usize,
    ticket: u64,
    of: u64,
    woken: Arc<Woken>,
    at: Option<Tick>,
}

struct Line {
    limiter: Limiter,
    waits: Vec<Waits>,
    calls: usize,
}

impl Line {
    fn arrive(&mut self, permits: u32, patience: u64) -> Arrival {
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        let arrival = self.limiter.arrive(ONLY, permits, Some(waker), Duration::from_nanos(patience));
        if let Arrival::Waits { of, ticket } = arrival {
            self.waits.push(Waits { call: self.calls, ticket, of, woken, at: None });
        }
        arrival
    }

    /// Asks for all whose time has come, the last first, until nobody has anything to ask.
    fn started(&mut self) -> Vec<usize> {
        let mut started = Vec::new();
        loop {
            let now = clock::tick();
            let asks = |it: &Waits| it.woken.0.swap(false, SeqCst) || it.at.is_none_or(|at| at <= now);
            let Some(at) = self.waits.iter().rposition(asks) else { return started };
            let Waits { of, ticket, woken, .. } = &self.waits[at];
            let waker = Waker::from(Arc::clone(woken));
            match self.limiter.turn(*of, *ticket, &waker, Tick::MAX) {
                Turn::At(then) => self.waits[at].at = Some(then),
                Turn::Now { .. } => started.push(self.waits.remove(at).call),
                Turn::Never => drop(self.waits.remove(at)),
            }
        }
    }
}

/// Where the model's time begins, far enough from zero.
const BEGIN: u64 = 1 << 40;

fn now(since: Tick) -> u64 {
    BEGIN + u64::try_from(clock::tick().since(since).as_nanos()).expect("a short test")
}

async fn agree(steps: Vec<Step>) {
    let begin = clock::tick();
    let mut line = Line { limiter: Limiter::new(terms(1_000, 3)), waits: Vec::new(), calls: 0 };
    let mut naive = Naive { period: 1_000, burst: 3, mark: 0, slots: Vec::new() };
    for step in steps {
        match step {
            Step::Arrive { permits, patience } => {
                line.calls += 1;
                let arrival = line.arrive(permits, patience);
                let now = now(begin);
                match naive.arrive(line.calls, permits.into(), patience, now) {
                    None => assert_eq!(arrival, Arrival::Entered),
                    Some((true, _)) => assert!(matches!(arrival, Arrival::Waits { .. }), "{arrival:?}"),
                    Some((false, due)) => {
                        let after = due.map(|due| Duration::from_nanos(due - now));
                        assert_eq!(arrival, Arrival::Refused(after));
                    }
                }
            }
            Step::Leave(which) if !line.waits.is_empty() => {
                let left = line.waits.remove(which % line.waits.len());
                line.limiter.cancel(left.of, left.ticket);
                naive.leave(left.call);
            }
            Step::Leave(_) => {}
            Step::Pass(time) => pass(time, begin, &mut line, &mut naive).await,
            Step::Change { period, burst } => {
                line.limiter.reconfigure(terms(period, burst));
                naive.change(period, burst.into(), now(begin));
            }
        }
        assert_eq!(line.started(), naive.started(now(begin)));
        assert_eq!(line.limiter.waiting(), naive.slots.iter().filter(|slot| slot.call.is_some()).count());
    }
    while let Some(next) = naive.next(now(begin)) {
        pass(next - now(begin), begin, &mut line, &mut naive).await;
    }
    assert_eq!((line.waits.len(), line.limiter.waiting()), (0, 0), "all are served");
}

/// Lets time pass, but for nobody's turn: who is late moves the others, which is another matter.
async fn pass(time: u64, begin: Tick, line: &mut Line, naive: &mut Naive) {
    let until = now(begin) + time;
    loop {
        let now_ = now(begin);
        let next = naive.next(now_).map_or(until, |next| next.min(until));
        tokio::time::advance(Duration::from_nanos(next - now_)).await;
        assert_eq!(line.started(), naive.started(now(begin)), "at {next}");
        if next == until {
            return;
        }
    }
}

/// Timers fire late, and tasks are polled when there is time for them.
async fn come_late(steps: Vec<(Step, bool)>) {
    let begin = clock::tick();
    let mut line = Line { limiter: Limiter::new(terms(1_000, 3)), waits: Vec::new(), calls: 0 };
    let mut naive = Naive { period: 1_000, burst: 3, mark: 0, slots: Vec::new() };
    let mut wanted = vec![0];
    for (step, asked) in steps {
        match step {
            Step::Arrive { permits, patience } => {
                line.calls += 1;
                wanted.push(u64::from(permits) * 1_000);
                let entered = line.arrive(permits, patience) == Arrival::Entered;
                assert!(!entered || naive.take(wanted[line.calls], now(begin)));
            }
            Step::Leave(which) if !line.waits.is_empty() => {
                let left = line.waits.remove(which % line.waits.len());
                line.limiter.cancel(left.of, left.ticket);
            }
            Step::Pass(time) => tokio::time::advance(Duration::from_nanos(time)).await,
            Step::Leave(_) | Step::Change { .. } => {}
        }
        let started = if asked { line.started() } else { Vec::new() };
        assert!(started.into_iter().all(|call| naive.take(wanted[call], now(begin))));
    }
    while !line.waits.is_empty() {
        assert!(now(begin) < BEGIN + LONG, "{} still wait", line.waits.len());
        assert!(line.started().into_iter().all(|call| naive.take(wanted[call], now(begin))));
        tokio::time::advance(Duration::from_nanos(500)).await;
    }
    assert_eq!(line.limiter.waiting(), 0);
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(test);
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn everybody_is_served_when_a_list_laid_out_anew_says(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        run(agree(steps));
    }

    #[test]
    fn whoever_is_asked_late_gets_no_permit_too_many_and_gets_one_in_the_end(
        steps in prop::collection::vec((step(), any::<bool>()), 1..40)
    ) {
        run(come_late(steps));
    }
}

//! The learner against a simulated server: so many workers, one queue, calls at random.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "nanoseconds of minutes fit all of them"
)]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::learner::{Learner, Plan, Seen};
use super::settings::{Limits, ShedAlgorithm};
use crate::clock::Tick;

const LIMITS: Limits = Limits {
    algorithm: ShedAlgorithm::Gradient,
    initial: 20,
    min: 4,
    max: 1_000,
    queue_time: None,
    window: Duration::from_millis(100),
};

/// A server, the calls that come to it, and the learner that admits them.
struct World {
    random: StdRng,
    now: u64,
    limits: Limits,
    learner: Learner,
    plan: Plan,
    seen: Seen,
    running: u32,
    most: u32,
    /// When each worker is free again.
    workers: BinaryHeap<Reverse<u64>>,
    /// Calls that end, with when they began, and whether they time out.
    ends: BinaryHeap<Reverse<(u64, u64, bool)>>,
    /// Mean time a worker takes, in nanoseconds.
    service: f64,
    timeout: Option<u64>,
    served: u64,
}

impl World {
    fn new(workers: u32, service: Duration, limits: Limits) -> Self {
        let (mut learner, now) = (Learner::new(&limits), 1 << 60);
        let plan = learner.plan(Tick::from_nanos(now), &limits);
        Self {
            random: StdRng::seed_from_u64(7),
            now,
            limits,
            learner,
            plan,
            seen: Seen::default(),
            running: 0,
            most: 0,
            workers: (0..workers).map(|_| Reverse(0)).collect(),
            ends: BinaryHeap::new(),
            service: service.as_nanos() as f64,
            timeout: None,
            served: 0,
        }
    }

    fn exponential(&mut self, mean: f64) -> u64 {
        let unit: f64 = self.random.random();
        (-mean * (1.0 - unit).ln()) as u64
    }

    fn end_until(&mut self, until: u64) {
        while let Some(&Reverse((end, begun, dropped))) = self.ends.peek().filter(|end| end.0.0 <= until) {
            self.ends.pop();
            self.running -= 1;
            let (begun, now) = (Tick::from_nanos(begun), Tick::from_nanos(end));
            if self.plan.takes(begun, now) {
                let took = now.since(begun).as_nanos() as u64;
                self.seen.drops += u64::from(dropped);
                self.seen.samples += u64::from(!dropped);
                self.seen.total += took * u64::from(!dropped);
            }
            self.served += u64::from(!dropped);
            if self.plan.is_over(now, self.seen.samples + self.seen.drops) {
                self.plan = self.learner.close(now, &self.seen, &self.limits);
                self.seen = Seen::default();
            }
        }
    }

    fn arrive(&mut self) {
        if self.running >= self.plan.limit {
            self.seen.refused = true;
            return;
        }
        self.running += 1;
        self.most = self.most.max(self.running);
        self.seen.peak = self.seen.peak.max(self.running);
        let Reverse(free) = self.workers.pop().expect("there are workers");
        let took = self.exponential(self.service);
        let end = free.max(self.now) + took;
        self.workers.push(Reverse(end));
        let most = self.timeout.map_or(u64::MAX, |most| self.now + most);
        self.ends.push(Reverse((end.min(most), self.now, end > most)));
    }

    /// So many calls a second for so long; gives the mean limit of the second half, and what was served of
    /// what the server could do.
    fn run(&mut self, per_second: f64, time: Duration) -> (f64, f64) {
        let start = self.now;
        let end = start + time.as_nanos() as u64;
        let half = start + (end - start) / 2;
        let (mut sum, mut count, mut served) = (0.0, 0.0, None);
        while self.now < end {
            self.now += self.exponential(1e9 / per_second);
            self.end_until(self.now);
            self.arrive();
            if self.now > half {
                served.get_or_insert(self.served);
                sum += f64::from(self.plan.limit);
                count += 1.0;
            }
        }
        let served = (self.served - served.unwrap_or_default()) as f64;
        (sum / count, served / ((end - half) as f64 / self.service * self.workers.len() as f64))
    }
}

const SERVICE: Duration = Duration::from_millis(50);
const MINUTES: Duration = Duration::from_secs(240);
const BOTH: [ShedAlgorithm; 2] = [ShedAlgorithm::Gradient, ShedAlgorithm::Aimd];

/// What so many workers do in a second.
fn capacity(workers: u32) -> f64 {
    f64::from(workers) / SERVICE.as_secs_f64()
}

/// Enough to keep all workers busy, and not so many that calls take several times as long as they need.
fn has_converged(shown: &str, (limit, used): (f64, f64), workers: u32) {
    let workers = f64::from(workers);
    assert!((workers..3.0 * workers + 4.0).contains(&limit), "{shown}: a limit of {limit}");
    assert!(used > 0.92, "{shown}: {used} of the server is used");
}

#[test]
fn the_limit_comes_near_what_the_server_can_do_from_below_and_from_above() {
    for (algorithm, workers, initial) in BOTH.into_iter().flat_map(|algorithm| {
        [(algorithm, 10, 4), (algorithm, 10, 200), (algorithm, 100, 20), (algorithm, 100, 800)]
    }) {
        let mut world = World::new(workers, SERVICE, Limits { algorithm, initial, ..LIMITS });
        let found = world.run(10.0 * capacity(workers), MINUTES);
        has_converged(&format!("{algorithm:?}, {workers} workers, from {initial}"), found, workers);
    }
}

#[test]
fn the_limit_follows_a_server_that_becomes_slower_and_faster_again() {
    for workers in [10, 100] {
        let mut world = World::new(workers, SERVICE, LIMITS);
        for times in [1.0, 3.0, 1.0] {
            world.service = SERVICE.as_nanos() as f64 * times;
            let found = world.run(10.0 * capacity(workers), MINUTES);
            has_converged(&format!("{workers} workers, {times} times slower"), found, workers);
            let baseline =
                world.learner.baseline().expect("it was measured").as_nanos() as f64 / world.service;
            assert!((0.5..1.7).contains(&baseline), "{workers} workers, {times} times slower: {baseline}");
        }
    }
}

#[test]
fn nobody_is_refused_for_long_where_there_is_room_to_spare() {
    for workers in [10, 100] {
        let mut world = World::new(workers, SERVICE, LIMITS);
        for times in [1.0, 3.0, 1.0] {
            world.service = SERVICE.as_nanos() as f64 * times;
            let (limit, used) = world.run(0.2 * capacity(workers), MINUTES);
            assert!((0.2 * times - used).abs() < 0.03, "{workers} workers, {times} times slower: {used}");
            let most = 2.0 * f64::from(world.most.max(LIMITS.initial / 2));
            assert!(limit <= most + most.sqrt(), "{limit}: it grows, but nobody uses it");
        }
    }
}

#[test]
fn the_limit_does_not_grow_while_every_call_times_out() {
    for algorithm in BOTH {
        let mut world = World::new(10, SERVICE, Limits { algorithm, ..LIMITS });
        world.run(2.0 * capacity(10), MINUTES);
        let learned = world.plan.limit;
        world.timeout = Some(20_000_000);
        world.service = 1e9;
        let (limit, _) = world.run(2.0 * capacity(10), MINUTES);
        assert!(limit < 6.0, "{algorithm:?}: {limit}");
        assert_eq!(world.plan.limit, LIMITS.min, "{algorithm:?}: it was {learned}");
        // The server starts again, and has forgotten what nobody waits for any more.
        (world.timeout, world.service) = (None, SERVICE.as_nanos() as f64);
        world.workers = (0..10).map(|_| Reverse(0)).collect();
        has_converged(&format!("{algorithm:?}, after timeouts"), world.run(10.0 * capacity(10), MINUTES), 10);
    }
}

#[test]
fn hours_of_overload_do_not_make_the_limit_drift() {
    let mut world = World::new(4, SERVICE, Limits { max: 10_000, ..LIMITS });
    for hour in 0..3 {
        let found = world.run(3.0 * capacity(4), Duration::from_secs(3_600));
        has_converged(&format!("hour {hour}"), found, 4);
    }
}

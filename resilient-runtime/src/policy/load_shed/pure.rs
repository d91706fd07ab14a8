//! The learner and the throttle by themselves: given figures, and what holds whatever happens.

use std::time::Duration;

use proptest::prelude::*;
use resilient_settings::stem::load_shed as slot;
use resilient_settings::{Value, Written};

use super::learner::{ENOUGH, Learner, Plan, Seen};
use super::settings::{Limits, Ratio, Settings, ShedAlgorithm};
use super::throttle::{Throttle, Totals, share};
use crate::clock::Tick;
use crate::priority::Priority;
use crate::prop::cases;

const MS: u64 = 1_000_000;
const START: Tick = Tick::from_nanos(1 << 60);

const LIMITS: Limits = Limits {
    algorithm: ShedAlgorithm::Gradient,
    initial: 100,
    min: 4,
    max: 1_000,
    queue_time: None,
    window: Duration::from_millis(100),
};

/// A window of calls that took so many milliseconds each.
fn took(ms: u64, peak: u32) -> Seen {
    Seen { samples: ENOUGH, total: ms * MS * ENOUGH, drops: 0, peak, refused: false }
}

/// A limit of a hundred and a baseline of a hundred milliseconds, then this window.
fn after(limits: &Limits, seen: &Seen) -> u32 {
    let mut learner = Learner::new(limits);
    learner.plan(START, limits);
    let plan = learner.close(START.plus(Duration::from_millis(100)), &took(100, 10), limits);
    assert_eq!(plan.limit, 100);
    learner.close(plan.until, seen, limits).limit
}

#[test]
fn the_limit_moves_by_how_long_calls_take() {
    let aimd = Limits { algorithm: ShedAlgorithm::Aimd, ..LIMITS };
    let brief = Limits { queue_time: Some(Duration::from_millis(10)), ..LIMITS };
    for (limits, seen, limit) in [
        (LIMITS, took(100, 100), 110),
        (LIMITS, took(200, 100), 110),
        (LIMITS, took(250, 100), 90),
        (LIMITS, took(400, 100), 75),
        (LIMITS, took(9_000, 100), 75),
        (aimd, took(100, 100), 101),
        (aimd, took(200, 50), 101),
        (aimd, took(201, 100), 90),
        (aimd, took(9_000, 100), 90),
        (brief, took(110, 100), 110),
        (brief, took(220, 100), 75),
    ] {
        assert_eq!(after(&limits, &seen), limit, "{seen:?}");
    }
}

#[test]
fn a_limit_that_nobody_uses_does_not_grow_and_shrinks_to_what_is_used() {
    assert_eq!(after(&LIMITS, &took(100, 49)), 100);
    assert_eq!(after(&LIMITS, &took(100, 50)), 110);
    assert_eq!(after(&LIMITS, &Seen { refused: true, ..took(100, 49) }), 110);
    assert_eq!(after(&LIMITS, &took(900, 45)), 90);
    assert_eq!(after(&LIMITS, &took(900, 20)), 75);
}

#[test]
fn more_than_a_tenth_of_timeouts_lowers_the_limit() {
    let dropped = |drops, samples| Seen { drops, samples, total: samples * 100 * MS, ..took(100, 100) };
    assert_eq!(after(&LIMITS, &dropped(2, 18)), 110);
    assert_eq!(after(&LIMITS, &dropped(3, 17)), 90);
    assert_eq!(after(&LIMITS, &dropped(20, 0)), 90);
}

const fn before_it(tick: Tick) -> Tick {
    Tick::from_nanos(tick.nanos() - 1)
}

#[test]
fn while_the_baseline_is_measured_critical_calls_are_spared_and_earlier_calls_do_not_count() {
    let refused = |ms| Seen { refused: true, ..took(ms, 100) };
    let mut learner = Learner::new(&LIMITS);
    learner.plan(START, &LIMITS);
    // Calls queued when the baseline was first seen: it is doubted.
    let mut plan = learner.close(START.plus(Duration::from_millis(100)), &refused(100), &LIMITS);
    while plan.give_up == Tick::MAX {
        plan = learner.close(plan.until, &refused(150), &LIMITS);
        assert!(plan.limit < 400, "it is never measured");
    }
    let before = plan.critical;
    assert_eq!(plan.limit, before / 4);
    assert!(!plan.takes(before_it(plan.made), plan.from), "a call from before");
    assert!(!plan.takes(plan.made, before_it(plan.from)), "the queue is not gone");
    assert!(plan.takes(plan.made, plan.from));
    let busy = learner.clone().close(plan.until, &took(80, before), &LIMITS);
    assert_eq!((busy.limit, busy.critical), (before / 4, before / 4), "critical calls kept a queue");
    let plan = learner.close(plan.until, &took(50, 10), &LIMITS);
    assert_eq!((plan.limit, plan.critical), (before, before));
    assert_eq!(learner.baseline(), Some(Duration::from_millis(50)));
}

#[test]
fn the_share_to_refuse_is_that_of_the_book() {
    for (requests, accepts, refused) in [
        (100.0, 100.0, 0.0),
        (100.0, 80.0, 0.0),
        (100.0, 50.0, 0.0),
        (100.0, 40.0, 0.198),
        (100.0, 0.0, 0.9901),
        (1.0, 0.0, 0.5),
    ] {
        let share = share(requests, accepts, 2.0);
        assert!((share - refused).abs() < 0.000_1, "{requests}, {accepts}: {share}");
    }
}

const RATIO: Ratio = Ratio { k: 2.0, window: Duration::from_secs(120), min_calls: 1 };

fn throttle(came: [u64; 4], refused: u64, failed: u64) -> Throttle {
    let mut throttle = Throttle::new(START, Totals::default());
    throttle.advance(START, Totals { came, refused }, &RATIO);
    (0..failed).for_each(|_| throttle.fail());
    throttle
}

#[test]
fn a_lower_priority_is_refused_whole_before_a_higher_one_is() {
    // 100 came and 40 were accepted: 19.8 have to go.
    let shares = |came| Priority::ALL.map(|priority| throttle(came, 0, 60).share_of(priority, &RATIO));
    let near = |one: [f64; 4], other: [f64; 4]| {
        one.iter().zip(other).all(|(one, other)| (one - other).abs() < 0.001)
    };
    for (came, expected) in [
        ([100, 0, 0, 0], [0.198, 0.0, 0.0, 0.0]),
        ([0, 100, 0, 0], [1.0, 0.198, 0.0, 0.0]),
        ([10, 20, 30, 40], [1.0, 0.49, 0.0, 0.0]),
        ([5, 5, 5, 85], [1.0, 1.0, 1.0, 0.0565]),
    ] {
        assert!(near(shares(came), expected), "{came:?}: {:?}", shares(came));
    }
}

#[test]
fn calls_leave_the_window_a_tenth_at_a_time() {
    let mut throttle = throttle([0, 10, 0, 0], 0, 10);
    let totals = Totals { came: [0, 10, 0, 0], refused: 0 };
    let mut at = |seconds| {
        throttle.advance(START.plus(Duration::from_secs(seconds)), totals, &RATIO);
        throttle.share(&RATIO)
    };
    assert!(at(0) > 0.9);
    assert!(at(119) > 0.9);
    assert!(at(120) < 0.1);
    assert!(at(1 << 40) < 0.1);
}

#[test]
fn a_window_with_few_calls_refuses_none() {
    let few = Ratio { min_calls: 10, ..RATIO };
    let shares = [9, 10].map(|calls| throttle([0, calls, 0, 0], 0, calls).share(&few));
    assert!(shares[0] == 0.0 && shares[1] > 0.9, "{shares:?}");
}

#[test]
fn totals_that_arrive_late_are_not_counted_twice() {
    let mut throttle = Throttle::new(START, Totals::default());
    for came in [3, 1, 3] {
        throttle.advance(START, Totals { came: [0, came, 0, 0], refused: 0 }, &RATIO);
    }
    (0..3).for_each(|_| throttle.fail());
    assert!((throttle.share(&RATIO) - 0.75).abs() < 1e-9);
}

#[test]
fn what_is_not_written_gives_way_to_what_is() {
    let written = |pairs: &[(usize, Value)]| {
        pairs.iter().fold(Written::NOTHING, |written, (key, value)| written.set(*key, *value))
    };
    let settings = Settings::of(&written(&[
        (slot::MAX_LIMIT, Value::count(3)),
        (slot::IMPORTANT_AT, Value::number(0.5)),
    ]));
    assert_eq!((settings.limits.min, settings.limits.initial, settings.limits.max), (3, 3, 3));
    assert_eq!(
        (settings.levels.optional, settings.levels.normal, settings.levels.important),
        (0.5, 0.5, 0.5)
    );
    let settings = Settings::of(&written(&[
        (slot::OPTIONAL_AT, Value::number(0.95)),
        (slot::MIN_LIMIT, Value::count(50)),
    ]));
    assert_eq!((settings.levels.normal, settings.levels.important), (0.95, 0.95));
    assert_eq!((settings.limits.initial, settings.limits.max), (50, 1_000));
    let limits = |initial| Settings::of(&written(&[(slot::INITIAL_LIMIT, Value::count(initial))])).limits;
    assert_eq!((limits(2).min, limits(2).initial, limits(2).max), (2, 2, 1_000));
    assert_eq!((limits(5_000).min, limits(5_000).initial, limits(5_000).max), (4, 5_000, 5_000));
    let faults = |pairs: &[(usize, Value)]| {
        (slot::TABLE.check)(&written(pairs)).into_iter().map(|complaint| complaint.key).collect::<Vec<_>>()
    };
    assert_eq!(
        faults(&[(slot::MIN_LIMIT, Value::count(50)), (slot::MAX_LIMIT, Value::count(3))]),
        ["max_limit"]
    );
    assert_eq!(
        faults(&[(slot::INITIAL_LIMIT, Value::count(50)), (slot::MIN_LIMIT, Value::count(60))]),
        ["initial_limit"]
    );
    assert_eq!(
        faults(&[(slot::OPTIONAL_AT, Value::number(0.9)), (slot::NORMAL_AT, Value::number(0.8))]),
        ["normal_at"]
    );
    assert_eq!(faults(&[(slot::K, Value::number(2.0))]), ["k"]);
    assert_eq!(
        faults(&[(slot::K, Value::number(2.0)), (slot::MODE, Value::Word("throttle"))]),
        Vec::<&str>::new()
    );
    assert_eq!(faults(&[(slot::WINDOW, Value::count(50))]), Vec::<&str>::new());
}

fn seen() -> impl Strategy<Value = Seen> {
    (0..200_u64, 0..5_000_u64, 0..50_u64, 0..2_000_u32, any::<bool>()).prop_map(
        |(samples, ms, drops, peak, refused)| Seen {
            samples,
            total: samples * ms * MS,
            drops,
            peak,
            refused,
        },
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    (any::<bool>(), 1..50_u32, 0..50_u32, 0..500_u32, proptest::option::of(1..500_u64), 1..2_000_u64)
        .prop_map(|(aimd, min, initial, max, queue_time, window)| Limits {
            algorithm: if aimd { ShedAlgorithm::Aimd } else { ShedAlgorithm::Gradient },
            initial: min + initial,
            min,
            max: min + initial + max,
            queue_time: queue_time.map(Duration::from_millis),
            window: Duration::from_millis(window),
        })
}

/// Windows in a row, each as long as it was planned.
fn run(limits: &Limits, windows: &[Seen], mut check: impl FnMut(&Plan, &Seen, &Plan)) {
    let mut learner = Learner::new(limits);
    let mut plan = learner.plan(START, limits);
    for seen in windows {
        let next = learner.close(plan.until, seen, limits);
        check(&plan, seen, &next);
        plan = next;
    }
}

const fn measures(plan: &Plan) -> bool {
    plan.give_up.nanos() < u64::MAX
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn the_limit_stays_in_its_bounds_and_grows_only_when_it_is_used_and_calls_end_well(
        limits in limits(),
        windows in proptest::collection::vec(seen(), 1..60),
    ) {
        run(&limits, &windows, |plan, seen, next| {
            let least = if measures(next) { 1 } else { limits.min };
            assert!((least..=limits.max).contains(&next.limit), "{next:?}");
            assert!(next.critical >= next.limit);
            assert!(next.from >= next.made && next.until > next.from);
            if !measures(plan) && next.limit > plan.limit {
                assert!(seen.refused || seen.peak * 2 >= plan.limit, "{seen:?}: {plan:?} became {next:?}");
                assert!(seen.samples > 0 && seen.drops * 9 <= seen.samples, "{seen:?}");
            }
        });
    }

    #[test]
    fn the_share_is_that_of_all_calls_in_the_last_ten_buckets(
        calls in proptest::collection::vec((0..30_u64, 0..4_usize, 0..3_u8), 1..200),
        k in 1.0..4.0_f64,
    ) {
        let ratio = Ratio { k, window: Duration::from_secs(100), min_calls: 1 };
        let mut throttle = Throttle::new(START, Totals::default());
        let (mut now, mut totals, mut history) = (0, Totals::default(), Vec::new());
        for (passes, priority, end) in calls {
            now += passes;
            totals.came[priority] += 1;
            totals.refused += u64::from(end == 1);
            throttle.advance(START.plus(Duration::from_secs(now)), Totals { came: [0; 4], refused: 0 }, &ratio);
            throttle.advance(START.plus(Duration::from_secs(now)), totals, &ratio);
            if end == 2 {
                throttle.fail();
            }
            history.push((now, end));
            let recent: Vec<_> = history.iter().filter(|(at, _)| at / 10 + 10 > now / 10).collect();
            let accepts = recent.iter().filter(|(_, end)| *end == 0).map(|_| 1.0).sum();
            let expected = share(recent.iter().map(|_| 1.0).sum(), accepts, k);
            prop_assert!((throttle.share(&ratio) - expected).abs() < 1e-9, "{expected} at {now}");
        }
    }
}

use proptest::prelude::*;

use super::*;
use crate::prop::cases;

/// One record per call, looked through each time.
struct Naive {
    shape: CircuitWindow,
    /// When the window began, or began anew after it had forgotten everything.
    begun: u64,
    calls: Vec<(u64, bool, bool)>,
}

impl Naive {
    fn sum(&self, now: u64) -> Sum {
        let kept: Vec<_> = match self.shape {
            CircuitWindow::Calls(calls) => self.calls.iter().rev().take(calls as usize).collect(),
            CircuitWindow::Time(span) => {
                let bucket = |at: u64| at.checked_sub(self.begun).map(|age| age / (nanos(span) / 10));
                let kept = |at| bucket(at).is_some_and(|it| Some(it + 10) > bucket(now));
                self.calls.iter().filter(|call| kept(call.0)).collect()
            }
        };
        Sum {
            calls: kept.len() as u64,
            failures: kept.iter().filter(|call| call.1).count() as u64,
            slow: kept.iter().filter(|call| call.2).count() as u64,
        }
    }
}

/// Wait this long, then so many successes, then one call that went like this.
type Step = (u64, u64, bool, bool);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wait = prop_oneof![4 => Just(0), 4 => 0..15_u64, 2 => 0..300_u64];
    let successes = prop_oneof![3 => Just(0), 3 => 0..5_u64, 1 => 0..300_u64];
    proptest::collection::vec((wait, successes, any::<bool>(), any::<bool>()), 0..12)
}

fn agrees(shape: CircuitWindow, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut now = 12_345;
    let mut last = now;
    let mut naive = Naive { shape, begun: now, calls: Vec::new() };
    let mut window = Window::new(shape, Tick::from_nanos(now));
    for (wait, successes, failed, slow) in steps {
        now += wait;
        prop_assert_eq!(window.sum_at(Tick::from_nanos(now)), naive.sum(now));
        window.turn(Tick::from_nanos(now));
        if let CircuitWindow::Time(span) = shape
            && (now - naive.begun) / (nanos(span) / 10) >= (last - naive.begun) / (nanos(span) / 10) + 10
        {
            naive.begun = now;
        }
        last = now;
        window.succeed(successes);
        window.push(failed, slow);
        naive.calls.extend((0..successes).map(|_| (now, false, false)));
        naive.calls.push((now, failed, slow));
        prop_assert_eq!(window.sum(), naive.sum(now));
    }
    Ok(())
}

#[test]
fn a_share_just_below_the_limit_does_not_reach_it() {
    assert_eq!([499, 500].map(|part| reaches(part, 1_000, 0.5)), [false, true]);
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn the_room_for_failures_is_never_too_much_and_hardly_too_little(
        calls in prop_oneof![1..300_u64, 1..1_000_000_000_u64],
        failed in 0.0..1.0_f64,
        limit in prop_oneof![Just(f64::MIN_POSITIVE), Just(0.5), Just(1.0), 0.0..1.0_f64],
    ) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of the calls")]
        let failures = (float(calls) * failed) as u64;
        let room = u64::from(room(Sum { calls, failures, slow: 0 }, limit));
        let reaches = |more: u64| share(failures + more, calls + more) >= limit;
        prop_assert!(room == 0 || !reaches(room), "{room}");
        prop_assert!(limit > 0.75 || reaches(room + room / 50 + 2), "{room}");
    }

    #[test]
    fn a_window_of_calls_equals_a_list(calls in 1..150_u32, steps in steps()) {
        agrees(CircuitWindow::Calls(calls), steps)?;
    }

    #[test]
    fn a_window_of_time_equals_a_list(width in 1..20_u64, steps in steps()) {
        agrees(CircuitWindow::Time(Duration::from_nanos(width * 10)), steps)?;
    }

    #[test]
    fn a_resized_window_keeps_the_newest(old in 1..150_u32, new in 1..150_u32, steps in steps()) {
        let mut window = Window::new(CircuitWindow::Calls(old), Tick::ZERO);
        let mut calls = Vec::new();
        for (_, successes, failed, slow) in steps {
            window.succeed(successes);
            window.push(failed, slow);
            calls.extend((0..successes).map(|_| (0, false, false)));
            calls.push((0, failed, slow));
        }
        window.reshape(CircuitWindow::Calls(new), Tick::ZERO);
        let naive = Naive { shape: CircuitWindow::Calls(old.min(new)), begun: 0, calls };
        prop_assert_eq!(window.sum(), naive.sum(0));
    }
}

#[test]
fn failures_that_come_at_once_are_all_counted() {
    for shape in [CircuitWindow::Calls(8), CircuitWindow::Time(Duration::from_secs(1))] {
        let mut window = Window::new(shape, Tick::ZERO);
        window.fail(3);
        assert_eq!(window.sum(), Sum { calls: 3, failures: 3, slow: 0 });
    }
}

#[test]
fn more_successes_than_there_are_numbers_for_fill_a_window_of_calls() {
    let mut window = Window::new(CircuitWindow::Calls(8), Tick::ZERO);
    window.push(true, true);
    window.succeed(u64::MAX);
    assert_eq!(window.sum(), Sum { calls: 8, failures: 0, slow: 0 });
}

#[test]
fn a_window_that_keeps_its_shape_keeps_its_calls() {
    for shape in [CircuitWindow::Calls(8), CircuitWindow::Time(Duration::from_secs(1))] {
        let mut window = Window::new(shape, Tick::ZERO);
        window.push(true, false);
        window.reshape(shape, Tick::ZERO);
        assert_eq!(window.sum(), Sum { calls: 1, failures: 1, slow: 0 });
    }
}

#[test]
fn another_shape_starts_afresh() {
    let mut window = Window::new(CircuitWindow::Calls(8), Tick::ZERO);
    window.push(true, false);
    window.reshape(CircuitWindow::Time(Duration::from_secs(1)), Tick::ZERO);
    assert_eq!(window.sum(), Sum::default());
}

#[test]
fn the_first_call_counts_to_the_last_moment_of_the_window_whenever_it_began() {
    for begun in [0, 1, 7, 10, 12_349] {
        let tick = |after: u64| Tick::from_nanos(begun + after);
        let mut window = Window::new(CircuitWindow::Time(Duration::from_nanos(100)), tick(0));
        window.push(true, false);
        assert_eq!([99, 100].map(|after| window.sum_at(tick(after)).failures), [1, 0], "{begun}");
        assert_eq!(window.turns_at(), Some(tick(10)));
        assert!(window.turn(tick(1_003)));
        window.push(true, false);
        assert_eq!([1_102, 1_103].map(|after| window.sum_at(tick(after)).failures), [1, 0], "{begun}");
    }
}

#[test]
fn a_clock_a_little_behind_counts_in_the_current_bucket() {
    let mut window = Window::new(CircuitWindow::Time(Duration::from_nanos(100)), Tick::from_nanos(1_000));
    window.push(true, false);
    assert!(!window.turn(Tick::from_nanos(950)));
    assert_eq!(window.sum().failures, 1);
}

#[test]
fn another_clock_starts_afresh() {
    for now in [0, 900, u64::MAX] {
        let mut window = Window::new(CircuitWindow::Time(Duration::from_nanos(100)), Tick::from_nanos(1_000));
        window.push(true, false);
        assert_eq!(window.sum_at(Tick::from_nanos(now)), Sum::default());
        assert!(window.turn(Tick::from_nanos(now)));
        assert_eq!(window.sum(), Sum::default());
        window.push(true, false);
        assert_eq!(window.sum().failures, 1);
    }
}

#[test]
fn no_shape_is_too_small() {
    for shape in [CircuitWindow::Calls(0), CircuitWindow::Time(Duration::ZERO)] {
        let mut window = Window::new(shape, Tick::MAX);
        window.succeed(u64::MAX);
        window.push(true, true);
        window.turn(Tick::ZERO);
        window.push(true, true);
        assert!(window.sum().failures > 0);
    }
}

//! Every order, within a bound, in which a few threads can meet at a load shedder.

use std::time::Duration;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering::SeqCst};
use loom::thread;
use resilient_settings::Written;

use super::gate::{End, Gate};
use super::settings::{Ratio, Settings};
use super::throttle::Totals;
use super::throttled::Throttled;
use crate::clock::{self, Tick};
use crate::priority::Priority;
use crate::sync::explore;
use crate::tally::Tally;

/// Who is inside, so that a model sees one too many.
struct Hall {
    gate: Gate,
    inside: AtomicU32,
}

impl Hall {
    fn new(limit: u32) -> Arc<Self> {
        let mut settings = Settings::of(&Written::NOTHING);
        settings.limits.initial = limit;
        settings.limits.min = 1;
        let gate = Gate::new(clock::tick(), &settings);
        Arc::new(Self { gate, inside: AtomicU32::new(0) })
    }

    fn visit(&self, priority: Priority, most: u32) {
        let Some(_) = self.gate.enter(priority) else { return };
        assert!(self.inside.fetch_add(1, SeqCst) < most, "one too many");
        self.inside.fetch_sub(1, SeqCst);
        self.gate.leave();
    }
}

#[test]
fn no_more_are_inside_than_their_priority_may_find() {
    explore("three visitors of two priorities at a limit of one", || {
        let hall = Hall::new(1);
        let others = [Priority::Normal, Priority::Critical].map(|priority| {
            let hall = Arc::clone(&hall);
            thread::spawn(move || hall.visit(priority, 2))
        });
        hall.visit(Priority::Optional, 2);
        others.into_iter().for_each(|other| other.join().expect("nobody panics"));
        assert_eq!(hall.gate.running(), 0, "everybody has left");
    });
}

#[test]
fn a_window_is_closed_once_and_no_call_counts_in_two() {
    explore("two calls end as a window does", || {
        let hall = Hall::new(4);
        let begun = clock::tick();
        let end = move |hall: &Hall| {
            let now = begun.plus(Duration::from_secs(1));
            let over = hall.gate.measure(begun, now, End::Well);
            u32::from(over && hall.gate.close(now, 0))
        };
        // All but two of the calls that a window needs.
        for _ in 2..super::learner::ENOUGH {
            assert_eq!(end(&hall), 0);
        }
        let other = {
            let hall = Arc::clone(&hall);
            thread::spawn(move || end(&hall))
        };
        let closed = end(&hall) + other.join().expect("nobody panics");
        assert_eq!(closed, 1);
        assert_eq!(hall.gate.learned().0, Some(Duration::from_secs(1)));
    });
}

#[test]
fn settings_that_change_while_a_window_ends_hold() {
    explore("settings change as a window ends", || {
        let hall = Hall::new(4);
        let begun = clock::tick();
        let now = begun.plus(Duration::from_secs(1));
        for _ in 0..super::learner::ENOUGH {
            hall.gate.measure(begun, now, End::Dropped);
        }
        let other = {
            let hall = Arc::clone(&hall);
            thread::spawn(move || hall.gate.close(now, 0))
        };
        let mut settings = Settings::of(&Written::NOTHING);
        (settings.limits.min, settings.limits.max) = (1, 2);
        hall.gate.apply(now, &settings);
        other.join().expect("nobody panics");
        assert!(hall.gate.limit() <= 2, "{}", hall.gate.limit());
    });
}

#[test]
fn no_failure_is_lost_between_threads() {
    explore("two calls fail under a throttle", || {
        let now = Tick::from_nanos(1 << 60);
        let ratio = Ratio { k: 1.0, window: Duration::from_secs(120), min_calls: 1 };
        let (throttled, tally) = (Arc::new(Throttled::new(now, ratio)), Arc::new(Tally::new()));
        let totals = |tally: &Tally| Totals { came: [0, tally.sum(0), 0, 0], refused: 0 };
        let fail = move |throttled: &Throttled, tally: &Tally| {
            tally.add(0, 1);
            throttled.fail(now, totals(tally));
        };
        let other = {
            let (throttled, tally) = (Arc::clone(&throttled), Arc::clone(&tally));
            thread::spawn(move || {
                crate::tally::enter_as(1);
                fail(&throttled, &tally);
            })
        };
        fail(&throttled, &tally);
        other.join().expect("nobody panics");
        let share = throttled.share(now, totals(&tally));
        assert!((share - 2.0 / 3.0).abs() < 1e-9, "{share}");
        assert!(!throttled.is_calm(now));
    });
}

//! Every order, within a bound, in which calls tell how long they took.

use std::time::Duration;

use loom::sync::Arc;
use loom::thread;

use super::recent::{Quantile, Recent};
use crate::sync::explore;

const MEDIAN: Quantile = Quantile(500);

#[test]
fn two_that_record_at_once_are_both_seen() {
    explore("two_that_record_at_once_are_both_seen", || {
        let recent = Arc::new(Recent::new());
        let spawned = [10, 20].map(|millis| {
            let recent = Arc::clone(&recent);
            thread::spawn(move || recent.record(Duration::from_millis(millis), MEDIAN))
        });
        spawned.into_iter().for_each(|part| part.join().expect("no part panics"));
        recent.refresh(MEDIAN);
        assert_eq!(recent.slow(), Some(Duration::from_millis(10)));
    });
}

#[test]
fn what_is_read_meanwhile_is_nothing_or_a_time_that_was() {
    explore("what_is_read_meanwhile_is_nothing_or_a_time_that_was", || {
        let recent = Arc::new(Recent::new());
        recent.record(Duration::from_millis(10), MEDIAN);
        let other = Arc::clone(&recent);
        let part = thread::spawn(move || {
            other.record(Duration::from_millis(20), MEDIAN);
            other.record(Duration::from_millis(30), MEDIAN);
        });
        let seen = recent.slow();
        part.join().expect("no part panics");
        assert!(seen.is_none_or(|seen| [10, 20].map(Duration::from_millis).contains(&seen)), "{seen:?}");
        assert_eq!(recent.slow(), Some(Duration::from_millis(20)));
    });
}

//! Every order, within a bound, in which a few threads can meet at a limit.

use std::task::Waker;
use std::time::Duration;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering::SeqCst};
use loom::thread;
use resilient_settings::Rate;

use super::limiter::{FIRST_KEY, Limiter, ONLY, Terms};
use super::line::{Arrival, Turn};
use crate::clock::Tick;
use crate::clock::models::NOW;
use crate::sync::explore;

const SECOND: Duration = Duration::from_secs(1);

fn terms(burst: u32) -> Terms {
    Terms {
        rate: Rate::per_second(1),
        burst,
        max_wait: 10 * SECOND,
        max_keys: 1,
        enabled: true,
        observes: false,
    }
}

/// Takes in a thread for each of these, besides this one; how many permits they got.
fn takers(limiter: &Arc<Limiter>, of: &[u64], own: impl FnOnce(&Limiter)) -> u32 {
    let taken = Arc::new(AtomicU32::new(0));
    let others: Vec<_> = of
        .iter()
        .map(|&of| {
            let (limiter, taken) = (Arc::clone(limiter), Arc::clone(&taken));
            thread::spawn(move || taken.fetch_add(u32::from(limiter.take_or_tell(of, 1).is_ok()), SeqCst))
        })
        .collect();
    own(limiter);
    for other in others {
        other.join().expect("nobody panics");
    }
    taken.load(SeqCst)
}

#[test]
fn the_last_permit_is_taken_once() {
    explore("three threads at two permits", || {
        let limiter = Arc::new(Limiter::new(terms(2)));
        let mut own = 0;
        let others = takers(&limiter, &[ONLY; 2], |limiter| {
            own = u32::from(limiter.take_or_tell(ONLY, 1).is_ok());
        });
        assert_eq!(own + others, 2);
    });
}

#[test]
fn other_settings_lose_no_permit_and_make_none() {
    explore("the settings change beside a thread", || {
        let limiter = Arc::new(Limiter::new(terms(1)));
        let taken = takers(&limiter, &[ONLY], |limiter| {
            limiter.reconfigure(Terms { rate: Rate::per_minute(1), ..terms(1) });
        });
        assert_eq!(taken, 1);
        assert_eq!(limiter.take_or_tell(ONLY, 1).map_err(|after| after.is_some()), Err(true));
    });
}

#[test]
fn whoever_waits_has_a_turn_of_its_own() {
    explore("one waits, one takes, one leaves the line", || {
        let limiter = Arc::new(Limiter::new(terms(1)));
        assert!(limiter.take_or_tell(ONLY, 1).is_ok());
        let arrive =
            |limiter: &Limiter| match limiter.arrive(ONLY, 1, Some(Waker::noop().clone()), 9 * SECOND) {
                Arrival::Waits { ticket, .. } => ticket,
                other => panic!("{other:?}"),
            };
        let leaves = {
            let limiter = Arc::clone(&limiter);
            thread::spawn(move || {
                let ticket = arrive(&limiter);
                limiter.cancel(ONLY, ticket);
            })
        };
        let ticket = arrive(&limiter);
        assert!(matches!(limiter.turn(ONLY, ticket, Waker::noop(), Tick::MAX), Turn::At(_)));
        leaves.join().expect("nobody panics");
        NOW.set(NOW.get().plus(3 * SECOND));
        assert!(matches!(limiter.turn(ONLY, ticket, Waker::noop(), Tick::MAX), Turn::Now { .. }));
        assert_eq!(limiter.waiting(), 0);
        assert!(limiter.take_or_tell(ONLY, 1).is_err(), "a burst is one");
        NOW.set(NOW.get().plus(SECOND));
        assert!(limiter.take_or_tell(ONLY, 1).is_ok());
    });
}

#[test]
fn a_key_without_a_place_takes_from_what_all_share() {
    explore("three keys at one place", || {
        let limiter = Arc::new(Limiter::new(terms(1)));
        let [one, two, three] = [FIRST_KEY, FIRST_KEY + 1, FIRST_KEY + 2];
        let mut own = 0;
        let others = takers(&limiter, &[one, two], |limiter| {
            own = u32::from(limiter.take_or_tell(three, 1).is_ok());
        });
        assert_eq!((own + others, limiter.keys().len()), (2, 1));
    });
}

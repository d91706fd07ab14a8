//! Every order, within a bound, in which a few threads can meet at a bulkhead.

use std::task::{Wake, Waker};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering::SeqCst};
use loom::thread;

use super::gate::{Gate, Queued};
use crate::sync::explore;
use crate::tally::enter_as;

const PLACES: u32 = 1;

struct Parked(thread::Thread);

impl Wake for Parked {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}

/// Who is inside, so that a model sees one too many.
struct Hall {
    gate: Gate,
    inside: AtomicU32,
}

impl Hall {
    fn new() -> Arc<Self> {
        Arc::new(Self { gate: Gate::new(PLACES), inside: AtomicU32::new(0) })
    }

    /// Of two threads that have called before, so that they may keep places.
    fn of(places: u32) -> Arc<Self> {
        let hall = Self { gate: Gate::new(places), inside: AtomicU32::new(0) };
        for thread in [1, 0] {
            enter_as(thread);
            hall.gate.tally.add(0, 1);
        }
        Arc::new(hall)
    }

    /// Enters, from the queue if need be, or leaves the queue again.
    fn visit(&self, patient: bool) {
        if !self.gate.enter() {
            let waker = Waker::from(std::sync::Arc::new(Parked(thread::current())));
            match self.gate.queue(u32::MAX, &waker) {
                Queued::Full => return,
                Queued::Entered => {}
                Queued::Ticket(ticket) if !patient && self.gate.cancel(ticket) => return,
                Queued::Ticket(ticket) => {
                    while self.gate.served(ticket, &waker).is_none() {
                        thread::park();
                    }
                }
            }
        }
        self.step_in();
        self.step_out();
    }

    /// Enters again with what it kept.
    fn keeper(&self) {
        enter_as(1);
        self.visit(true);
        self.visit(true);
    }

    /// Holds two places at once.
    fn visit_within(&self) {
        while !self.gate.enter() {
            thread::yield_now();
        }
        self.step_in();
        self.visit(true);
        self.step_out();
    }

    fn never_refused(&self, thread: usize) {
        enter_as(thread);
        for _ in 0..2 {
            assert!(self.gate.enter(), "refused beside a free place");
            self.step_in();
            self.step_out();
        }
    }

    fn step_in(&self) {
        assert!(self.inside.fetch_add(1, SeqCst) < self.gate.places(), "one too many");
    }

    fn step_out(&self) {
        self.inside.fetch_sub(1, SeqCst);
        self.gate.leave(true);
    }
}

fn visits(hall: &Arc<Hall>, others: Vec<fn(&Hall)>, own: impl FnOnce(&Hall)) {
    let others: Vec<_> = others
        .into_iter()
        .map(|other| {
            let hall = Arc::clone(hall);
            thread::spawn(move || other(&hall))
        })
        .collect();
    own(hall);
    for other in others {
        other.join().expect("nobody panics");
    }
    assert_eq!(hall.gate.load(), (0, 0), "everybody has left");
}

#[test]
fn three_visitors_are_all_served_one_at_a_time() {
    explore("three visitors at one place", || {
        visits(&Hall::new(), vec![|hall| hall.visit(true), |hall| hall.visit(true)], |hall| hall.visit(true));
    });
}

#[test]
fn a_visitor_who_leaves_the_queue_loses_no_place() {
    explore("one of three leaves the queue", || {
        visits(&Hall::new(), vec![|hall| hall.visit(false), |hall| hall.visit(true)], |hall| {
            hall.visit(true)
        });
    });
}

#[test]
fn a_place_that_is_added_reaches_who_waits() {
    explore("a place is added beside two visitors", || {
        let hall = Hall::new();
        assert!(hall.gate.enter());
        hall.inside.fetch_add(1, SeqCst);
        visits(&hall, vec![|hall| hall.visit(true), |hall| hall.gate.set_places(PLACES + 1)], |hall| {
            hall.inside.fetch_sub(1, SeqCst);
            hall.gate.leave(true);
        });
    });
}

#[test]
fn a_place_that_a_thread_keeps_is_found_by_who_needs_all() {
    explore("a place kept beside one who takes both", || {
        visits(&Hall::of(2), vec![|hall| hall.keeper()], |hall| hall.visit_within());
    });
}

#[test]
fn who_leaves_the_queue_for_a_kept_place_loses_none() {
    explore("a place kept beside one who gives up", || {
        visits(&Hall::of(2), vec![|hall| hall.keeper(), |hall| hall.visit(false)], |hall| {
            hall.visit(true);
        });
    });
}

#[test]
fn two_who_never_exceed_the_places_are_never_refused() {
    explore("two threads at two places", || {
        visits(&Hall::of(2), vec![|hall| hall.never_refused(1)], |hall| hall.never_refused(0));
    });
}

#[test]
fn fewer_places_hold_for_those_that_are_kept() {
    explore("places are taken away beside a kept one", || {
        let hall = Hall::of(4);
        assert!(hall.gate.enter() && hall.gate.enter());
        let other = Arc::clone(&hall);
        let other = thread::spawn(move || other.gate.set_places(1));
        hall.gate.leave(true);
        other.join().expect("nobody panics");
        assert!(!hall.gate.enter(), "one too many");
    });
}

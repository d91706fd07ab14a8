//! Every order, within a bound, in which a few threads can meet at a bulkhead.

use std::task::{Wake, Waker};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering::SeqCst};
use loom::thread;

use super::gate::{Gate, Queued};
use crate::sync::explore;

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

    /// Enters, from the queue if need be, or leaves the queue again.
    fn visit(&self, patient: bool) {
        if !self.gate.enter() {
            let waker = Waker::from(std::sync::Arc::new(Parked(thread::current())));
            match self.gate.queue(u32::MAX, &waker) {
                Queued::Full => return,
                Queued::Entered => {}
                Queued::Ticket(ticket) if !patient && self.gate.cancel(ticket) => return,
                Queued::Ticket(ticket) => {
                    while !self.gate.is_served(ticket, &waker) {
                        thread::park();
                    }
                }
            }
        }
        assert!(self.inside.fetch_add(1, SeqCst) < self.gate.places(), "one too many");
        self.inside.fetch_sub(1, SeqCst);
        self.gate.leave();
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
            hall.gate.leave();
        });
    });
}

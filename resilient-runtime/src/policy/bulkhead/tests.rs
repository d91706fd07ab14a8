//! The gate on its own, and between threads.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::{Wake, Waker};
use std::thread;
use std::time::Duration;

use super::gate::{Gate, Queued};

fn ticket(gate: &Gate) -> Option<u64> {
    match gate.queue(u32::MAX, Waker::noop()) {
        Queued::Ticket(ticket) => Some(ticket),
        Queued::Entered | Queued::Full => None,
    }
}

#[test]
fn nobody_enters_while_somebody_waits() {
    let gate = Gate::new(1);
    assert!(gate.enter());
    let ticket = ticket(&gate).expect("there is no place");
    assert_eq!(gate.queue(1, Waker::noop()), Queued::Full);
    gate.leave(true);
    assert_eq!(gate.load(), (1, 0), "the place went to the ticket");
    assert!(gate.served(ticket, Waker::noop()).is_some());
    assert!(!gate.enter());
    gate.leave(true);
    assert_eq!(gate.load(), (0, 0));
}

#[test]
fn a_ticket_is_cancelled_unless_it_was_served() {
    let gate = Gate::new(1);
    assert!(gate.enter());
    let (first, second) = (ticket(&gate), ticket(&gate));
    assert!(gate.cancel(first.expect("there is no place")));
    gate.leave(true);
    let second = second.expect("there is no place");
    assert!(!gate.cancel(second), "it has the place");
    assert!(gate.served(second, Waker::noop()).is_some(), "and can still ask for it");
    assert_eq!(gate.load(), (1, 0));
}

/// Goes to the gate when it is dropped, as a task does that holds a place.
struct Visitor(Arc<Gate>);

impl Wake for Visitor {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Visitor {
    fn drop(&mut self) {
        assert!(self.0.cancel(2));
    }
}

#[test]
fn wakers_are_dropped_under_no_lock() {
    for replaced in [false, true] {
        let gate = Arc::new(Gate::new(0));
        let visitor = Waker::from(Arc::new(Visitor(Arc::clone(&gate))));
        assert_eq!(gate.queue(2, &visitor), Queued::Ticket(1));
        assert_eq!(gate.queue(2, Waker::noop()), Queued::Ticket(2));
        drop(visitor);
        let (done, wait) = mpsc::channel();
        let there = Arc::clone(&gate);
        thread::spawn(move || {
            let left = if replaced { there.served(1, Waker::noop()).is_none() } else { there.cancel(1) };
            let _ = done.send(left);
        });
        assert_eq!(wait.recv_timeout(Duration::from_secs(10)), Ok(true), "it waits for itself");
        assert_eq!(gate.load(), (0, u64::from(replaced)));
    }
}

#[test]
fn threads_never_hold_more_places_than_there_are() {
    const PLACES: u32 = 3;
    /// Enters, at once or from the queue, unless it gives up.
    fn enter(gate: &Gate, patient: bool) -> bool {
        if gate.enter() {
            return true;
        }
        let Some(ticket) = ticket(gate) else { return true };
        if !patient && gate.cancel(ticket) {
            return false;
        }
        while gate.served(ticket, Waker::noop()).is_none() {
            thread::yield_now();
        }
        true
    }
    let (gate, held) = (Gate::new(PLACES), AtomicU32::new(0));
    let calls = || {
        gate.tally.add(0, 1);
        for round in 0..20_000 {
            if enter(&gate, round % 3 != 0) {
                assert!(held.fetch_add(1, SeqCst) < PLACES);
                held.fetch_sub(1, SeqCst);
                gate.leave(true);
            }
        }
    };
    thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(calls))));
    assert_eq!(gate.load(), (0, 0));
}

#[test]
fn a_place_that_a_thread_keeps_is_out_of_nobodys_reach() {
    let gate = Gate::new(4);
    thread::scope(|scope| {
        scope.spawn(|| {
            gate.tally.add(0, 1);
            assert!(gate.enter() && gate.enter());
            gate.leave(true);
            gate.leave(true);
        });
    });
    assert_eq!(gate.load(), (0, 0));
    assert!((0..4).all(|_| gate.enter()));
    assert!(!gate.enter());
    assert_eq!(gate.load(), (4, 0));
}

#[test]
fn as_many_threads_as_places_are_never_refused() {
    for waits in [false, true] {
        let gate = Gate::new(4);
        let calls = || {
            gate.tally.add(0, 1);
            for _ in 0..50_000 {
                assert!(gate.enter());
                gate.leave(waits);
            }
        };
        thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(calls))));
        assert_eq!(gate.load(), (0, 0));
    }
}

#[test]
fn places_taken_away_are_also_those_that_threads_keep() {
    let gate = Gate::new(4);
    gate.tally.add(0, 1);
    assert!(gate.enter());
    gate.leave(true);
    gate.set_places(1);
    assert!(gate.enter());
    assert!(!gate.enter());
    gate.leave(true);
    gate.set_places(2);
    assert!(gate.enter() && gate.enter());
    assert!(!gate.enter());
}

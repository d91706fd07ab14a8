//! Every order, within a bound, in which a few threads can meet at a flight.

use std::sync::OnceLock;
use std::task::{Wake, Waker};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering::SeqCst};
use loom::thread;

use super::flights::{Cargo, Flights, Waited};
use crate::sync::explore;

const KEY: u64 = 1;

struct Parked(thread::Thread);

impl Wake for Parked {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}

/// Who runs, so that a model sees one too many.
struct Airport {
    flights: Flights,
    running: AtomicU32,
}

/// How a call ends.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// It waits as long as it takes, and when it leads it has an answer for all.
    Answers,
    /// When it leads it is dropped, panics, or has an answer for nobody else.
    Goes,
    /// It waits for nobody.
    Leaves,
}

impl Airport {
    /// Whether the call has an answer, its own or another's.
    fn call(&self, end: End) -> bool {
        loop {
            let load = |()| -> Cargo { std::sync::Arc::new(OnceLock::<u32>::new()) };
            match self.flights.board(KEY, (), load) {
                Ok(cargo) => return self.lead(&cargo, end),
                Err(((), cargo)) => {
                    if let Some(answered) = self.follow(&cargo, end) {
                        return answered;
                    }
                }
            }
        }
    }

    /// Nothing, if the flight ended without an answer.
    fn follow(&self, cargo: &Cargo, end: End) -> Option<bool> {
        let waker = Waker::from(std::sync::Arc::new(Parked(thread::current())));
        let mut ticket = 0;
        loop {
            match self.flights.wait(KEY, cargo, &mut ticket, &waker) {
                Waited::Led => return Some(self.lead(cargo, end)),
                Waited::Over => return answer(cargo).get().map(|_| true),
                Waited::Waiting if end == End::Leaves => {
                    self.flights.leave(KEY, cargo, ticket);
                    return Some(false);
                }
                Waited::Waiting => thread::park(),
            }
        }
    }

    fn lead(&self, cargo: &Cargo, end: End) -> bool {
        assert_eq!(self.running.fetch_add(1, SeqCst), 0, "one flight at a time");
        self.running.fetch_sub(1, SeqCst);
        if end == End::Goes {
            self.flights.hand_over(KEY, cargo);
            return false;
        }
        if self.flights.is_awaited(KEY, cargo) {
            answer(cargo).set(7).expect("one leader lands");
            self.flights.land(KEY, cargo);
        } else {
            self.flights.hand_over(KEY, cargo);
        }
        true
    }
}

fn answer(cargo: &Cargo) -> &OnceLock<u32> {
    cargo.downcast_ref().expect("it was loaded so")
}

fn meet(name: &str, others: [End; 2], own: End) {
    explore(name, move || {
        let airport = Arc::new(Airport { flights: Flights::new(), running: AtomicU32::new(0) });
        let others = others.map(|end| {
            let airport = Arc::clone(&airport);
            thread::spawn(move || assert!(airport.call(end) || end != End::Answers))
        });
        assert!(airport.call(own) || own != End::Answers);
        for other in others {
            other.join().expect("nobody panics");
        }
        assert_eq!(airport.flights.load(), (0, 0), "everybody has landed");
    });
}

#[test]
fn three_calls_are_all_answered() {
    meet("three calls for one key", [End::Answers; 2], End::Answers);
}

#[test]
fn a_leader_who_goes_leaves_nobody_waiting() {
    meet("one of three leaders goes", [End::Goes, End::Answers], End::Answers);
    meet("two of three leaders go", [End::Goes, End::Goes], End::Answers);
}

#[test]
fn who_stops_waiting_takes_no_lead_with_them() {
    meet("one goes, one leaves, one waits", [End::Goes, End::Leaves], End::Answers);
}

//! The machine under clocks that jump, operators and new limits.

#![expect(clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;

use super::Control::{Disable, ForceOpen, Observe, Reset, Resume};
use super::arrows::{HALF_OF_TEN, RATE, Rig, secs};
use super::limits::{Limits, Rates};
use super::ticket::Admission;
use super::ticket::Outcome::{Failure, Success};
use super::transition::{CircuitCause, CircuitState};
use super::window::CircuitWindow;

#[test]
fn a_clock_behind_the_last_transition_starts_the_open_time_anew() {
    let mut rig = Rig::open(Limits::DEFAULT);
    rig.back(1_000_000);
    assert_eq!(rig.refused(), Some(secs(30)));
    rig.wait(30);
    rig.enter();
}

#[test]
fn a_clock_behind_the_probes_starts_their_lease_anew() {
    let mut rig = Rig::half_open(Limits::DEFAULT);
    rig.enter();
    rig.back(1_000_000);
    assert_eq!(rig.refused(), Some(secs(30)));
    rig.wait(30);
    rig.enter();
}

#[test]
fn a_clock_that_jumps_ends_the_open_time() {
    let mut rig = Rig::open(Limits::DEFAULT);
    rig.wait(10 * 365 * 86_400);
    rig.call(Success);
    rig.call(Success);
    assert_eq!(rig.state(), CircuitState::Closed);
}

#[test]
fn forced_open_refuses_until_resumed() {
    let mut rig = Rig::new(Limits::DEFAULT);
    let running = rig.enter();
    rig.by_hand(ForceOpen);
    assert_eq!(rig.arrow(), Some((CircuitState::Closed, CircuitState::ForcedOpen, CircuitCause::Manual)));
    rig.wait(1_000_000);
    assert_eq!((rig.refused(), rig.state()), (None, CircuitState::ForcedOpen));
    rig.by_hand(Resume);
    for _ in 0..9 {
        rig.end(running, Failure);
    }
    assert_eq!(rig.state(), CircuitState::Closed);
    rig.enter();
}

#[test]
fn disabled_passes_and_counts_nothing() {
    let mut rig = Rig::open(Limits::DEFAULT);
    rig.by_hand(Disable);
    assert_eq!(rig.arrow(), Some((CircuitState::Open, CircuitState::Disabled, CircuitCause::Manual)));
    let Admission::Admitted(ticket) = rig.admit() else { panic!("disabled") };
    rig.end(ticket, Failure);
    rig.by_hand(Resume);
    assert_eq!(rig.state(), CircuitState::Closed);
}

#[test]
fn observing_goes_through_the_states_and_says_so() {
    let mut rig = Rig::new(Limits::DEFAULT);
    rig.by_hand(Observe);
    for _ in 0..5 {
        rig.call(Failure);
    }
    assert!(rig.last.expect("would have opened").observed);
    let report = rig.machine.report(rig.now);
    assert_eq!((report.state, report.would_be), (CircuitState::Observing, CircuitState::Open));
    assert!(rig.machine.only_observes() && rig.machine.refuses().is_none());
    assert_eq!(rig.refused(), Some(secs(30)));
    rig.wait(30);
    rig.call(Success);
    rig.call(Success);
    assert_eq!(rig.machine.report(rig.now).would_be, CircuitState::Closed);
}

#[test]
fn resuming_after_observing_keeps_what_was_learned_while_closed() {
    let mut rig = Rig::new(RATE);
    rig.by_hand(Observe);
    rig.call(Failure);
    rig.by_hand(Resume);
    assert_eq!(rig.machine.report(rig.now).figures.failures, 1);
    rig.by_hand(Observe);
    for _ in 0..3 {
        rig.call(Failure);
    }
    rig.by_hand(Resume);
    assert_eq!(rig.arrow(), Some((CircuitState::Observing, CircuitState::Closed, CircuitCause::Manual)));
    assert_eq!(rig.machine.report(rig.now).figures.failures, 0);
}

#[test]
fn resuming_what_nobody_touched_changes_nothing() {
    let mut rig = Rig::open(Limits::DEFAULT);
    rig.by_hand(Resume);
    assert_eq!(rig.refused(), Some(secs(30)));
}

#[test]
fn it_knows_by_what_it_is_held() {
    let mut rig = Rig::new(Limits::DEFAULT);
    for control in [ForceOpen, Disable, Observe] {
        rig.by_hand(control);
        assert_eq!(rig.machine.held_by(), Some(control));
    }
    rig.by_hand(Resume);
    assert_eq!(rig.machine.held_by(), None);
}

#[test]
fn reset_closes_and_forgets() {
    for control in [ForceOpen, Disable, Observe, Resume] {
        let mut rig = Rig::open(Limits::DEFAULT);
        rig.by_hand(control);
        rig.by_hand(Reset);
        assert_eq!(rig.arrow().map(|arrow| arrow.1), Some(CircuitState::Closed));
        rig.enter();
    }
    let mut rig = Rig::new(RATE);
    rig.call(Failure);
    rig.by_hand(Reset);
    assert_eq!((rig.machine.report(rig.now).figures.failures, rig.last), (0, None));
}

#[test]
fn new_limits_keep_what_was_learned() {
    let mut rig = Rig::new(RATE);
    for _ in 0..3 {
        rig.call(Failure);
    }
    let rates = Rates { window: CircuitWindow::Calls(20), ..HALF_OF_TEN };
    rig.machine.reconfigure(Arc::new(Limits { rates: Some(rates), ..RATE }), rig.now);
    rig.call(Failure);
    assert_eq!(rig.last.expect("opened").figures.failures, 4);

    let mut rig = Rig::half_open(Limits { success_threshold: 3, ..Limits::DEFAULT });
    rig.call(Success);
    rig.machine.reconfigure(Arc::new(Limits::DEFAULT), rig.now);
    rig.call(Success);
    assert_eq!(rig.state(), CircuitState::Closed);
}

#[test]
fn reports_are_as_of_now() {
    let mut rig = Rig::open(Limits::DEFAULT);
    rig.wait(10);
    let report = rig.machine.report(rig.now);
    assert_eq!((report.time_in_state, report.retry_after), (secs(10), Some(secs(20))));
    rig.wait(25);
    let report = rig.machine.report(rig.now);
    assert_eq!((report.state, report.time_in_state), (CircuitState::HalfOpen, secs(5)));
}

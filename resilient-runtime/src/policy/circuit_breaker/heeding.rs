//! The machine and what its health check says, under clocks that jump and news that come late.

use std::time::Duration;

use super::Control::{ForceOpen, Observe, Resume};
use super::arrows::{Rig, secs};
use super::limits::Limits;
use super::state::heed::{News, Says};
use super::ticket::Outcome::{Failure, Success};
use super::transition::{CircuitCause, CircuitState};

const COUNTS: Duration = Duration::from_secs(21);

fn hear(rig: &mut Rig, number: u32, says: Says) {
    rig.last = rig.machine.heed(News { number, says }, rig.now);
}

/// A run that began just now.
fn hear_pass(rig: &mut Rig, number: u32) {
    let began = rig.now;
    hear(rig, number, Says::Passing(began));
}

/// Held open by news number 7.
fn held() -> Rig {
    let mut rig = Rig::new(Limits::DEFAULT);
    hear(&mut rig, 7, Says::Failing(COUNTS));
    rig
}

#[test]
fn a_failing_check_opens_whatever_the_state() {
    let mut trying = Rig::half_open(Limits::DEFAULT);
    trying.enter();
    for mut rig in [Rig::new(Limits::DEFAULT), trying] {
        let from = rig.state();
        hear(&mut rig, 1, Says::Failing(COUNTS));
        assert_eq!(rig.arrow(), Some((from, CircuitState::Open, CircuitCause::HealthFailed)));
        assert_eq!(rig.refused(), None);
    }
    let mut rig = Rig::open(Limits::DEFAULT);
    hear(&mut rig, 1, Says::Failing(secs(60)));
    assert_eq!(rig.arrow(), None);
    rig.wait(59);
    assert_eq!((rig.refused(), rig.state()), (None, CircuitState::Open), "longer than it would be by itself");
}

#[test]
fn what_is_not_heard_again_holds_no_longer() {
    let mut rig = held();
    rig.wait(20);
    hear(&mut rig, 8, Says::Failing(COUNTS));
    rig.wait(20);
    assert_eq!(rig.refused(), None);
    let report = rig.machine.report(rig.now);
    assert_eq!((report.state, report.time_in_state), (CircuitState::Open, secs(40)));
    rig.wait(6);
    let report = rig.machine.report(rig.now);
    assert_eq!((report.state, report.time_in_state), (CircuitState::HalfOpen, secs(5)));
    rig.enter();
    assert_eq!(rig.arrow(), Some((CircuitState::Open, CircuitState::HalfOpen, CircuitCause::HealthUnknown)));
}

#[test]
fn a_clock_behind_what_was_heard_holds_no_longer_for_it() {
    let mut rig = held();
    rig.back(1_000_000);
    assert_eq!(rig.refused(), None);
    rig.wait(21);
    rig.enter();
}

#[test]
fn a_check_that_nobody_runs_changes_nothing() {
    for mut rig in [Rig::new(Limits::DEFAULT), Rig::open(Limits::DEFAULT)] {
        let before = rig.state();
        hear(&mut rig, 1, Says::Unknown);
        assert_eq!((rig.last, rig.state()), (None, before));
    }
}

#[test]
fn a_breaker_of_a_new_key_has_heard_what_the_others_have() {
    let mut rig = Rig::new(Limits::DEFAULT);
    rig.machine.hear_from(&held().machine);
    assert_eq!((rig.refused(), rig.state()), (None, CircuitState::Open));
    hear(&mut rig, 6, Says::Unknown);
    assert_eq!((rig.refused(), rig.state()), (None, CircuitState::Open), "these are older news");
}

#[test]
fn news_that_come_late_change_nothing() {
    let mut rig = held();
    for says in [Says::Passing(rig.now), Says::Unknown] {
        hear(&mut rig, 6, says);
        assert_eq!((rig.last, rig.refused()), (None, None));
    }
    hear_pass(&mut rig, 8);
    hear(&mut rig, 7, Says::Failing(COUNTS));
    assert_eq!(rig.state(), CircuitState::HalfOpen);
}

#[test]
fn numbers_begin_anew_after_the_last_one() {
    let mut rig = Rig::new(Limits::DEFAULT);
    hear(&mut rig, u32::MAX, Says::Failing(COUNTS));
    hear_pass(&mut rig, 1);
    assert_eq!(rig.state(), CircuitState::HalfOpen);
    hear(&mut rig, u32::MAX, Says::Failing(COUNTS));
    assert_eq!(rig.state(), CircuitState::HalfOpen);
}

#[test]
fn a_run_that_began_before_it_opened_lets_nobody_try() {
    let mut rig = Rig::new(Limits::DEFAULT);
    let began = rig.now;
    rig.wait(1);
    for _ in 0..5 {
        rig.call(Failure);
    }
    hear(&mut rig, 1, Says::Passing(began));
    assert_eq!((rig.last, rig.state()), (None, CircuitState::Open));
    hear_pass(&mut rig, 2);
    assert_eq!(rig.state(), CircuitState::HalfOpen);
    rig.call(Failure);
    rig.wait(1);
    hear_pass(&mut rig, 3);
    assert_eq!(rig.state(), CircuitState::Open, "a call that tried has failed");
}

#[test]
fn a_call_that_began_before_counts_for_nothing_after() {
    let mut rig = Rig::new(Limits::DEFAULT);
    let early = rig.enter();
    hear(&mut rig, 1, Says::Failing(COUNTS));
    rig.end(early, Success);
    assert_eq!(rig.state(), CircuitState::Open);
    hear_pass(&mut rig, 2);
    rig.end(early, Failure);
    assert_eq!(rig.state(), CircuitState::HalfOpen);
}

#[test]
fn a_hand_hides_it_and_forgets_nothing() {
    let mut rig = Rig::new(Limits::DEFAULT);
    rig.by_hand(ForceOpen);
    hear(&mut rig, 1, Says::Failing(COUNTS));
    assert_eq!((rig.last, rig.state()), (None, CircuitState::ForcedOpen));
    rig.by_hand(Resume);
    assert_eq!((rig.refused(), rig.state()), (None, CircuitState::Open));
    rig.by_hand(Observe);
    hear(&mut rig, 2, Says::Unknown);
    assert!(rig.last.expect("would try").observed);
}

#[test]
#[cfg(feature = "health")]
fn other_settings_leave_it_held_and_another_check_does_not() {
    let mut rig = held();
    let mut configured = |health| {
        let limits = Limits { reset_timeout: secs(3), health, ..Limits::DEFAULT };
        rig.machine.reconfigure(std::sync::Arc::new(limits), rig.now);
        (rig.machine.is_held(rig.now), rig.machine.heeds())
    };
    assert_eq!(configured(None), (true, true));
    assert_eq!(configured(Some("another")), (false, false));
    rig.enter();
    assert_eq!(rig.arrow(), Some((CircuitState::Open, CircuitState::HalfOpen, CircuitCause::HealthUnknown)));
}

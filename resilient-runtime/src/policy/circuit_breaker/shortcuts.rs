//! What the machine publishes, so that calls need not ask it.

use super::Control::{Disable, ForceOpen, Observe};
use super::arrows::{Rig, secs};
use super::limits::Limits;
use super::state::heed::{News, Says};

/// Whether all calls pass and count, all pass and none counts, and all are refused as long as nobody knows.
fn published(rig: &Rig) -> [bool; 3] {
    [rig.machine.admits_all(), rig.machine.is_disabled(), rig.machine.refuses_for_long()]
}

#[test]
fn a_closed_breaker_publishes_what_was_done_by_hand() {
    let mut rig = Rig::new(Limits::DEFAULT);
    assert_eq!(published(&rig), [true, false, false]);
    for (control, expected) in
        [(Observe, [true, false, false]), (Disable, [false, true, false]), (ForceOpen, [false, false, true])]
    {
        rig.by_hand(control);
        assert_eq!((published(&rig), rig.machine.refuses()), (expected, None), "{control:?}");
    }
}

#[test]
fn an_open_breaker_publishes_from_when_until_when() {
    let mut rig = Rig::open(Limits::DEFAULT);
    assert_eq!(rig.machine.refuses(), Some((rig.now, rig.now.plus(secs(30)))));
    assert_eq!(published(&rig), [false; 3]);
    assert!(rig.machine.success_matters(false), "it is no call of a closed breaker");
    rig.by_hand(Observe);
    assert_eq!((published(&rig), rig.machine.refuses()), ([false; 3], None));
}

#[test]
fn a_breaker_that_its_check_holds_publishes_how_long_that_counts() {
    let mut rig = Rig::new(Limits::DEFAULT);
    let heard = rig.now;
    rig.machine.heed(News { number: 1, says: Says::Failing(secs(21)) }, heard);
    rig.wait(5);
    assert_eq!(rig.machine.refuses(), Some((heard, heard.plus(secs(21)))));
    assert_eq!(published(&rig), [false, false, true]);
    rig.by_hand(Observe);
    assert_eq!((published(&rig), rig.machine.refuses()), ([false; 3], None));
}

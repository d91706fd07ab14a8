use std::time::Duration;

use super::*;

fn drained() -> Purse {
    let purse = Purse::new("drained", Payer::EACH, &Written::NOTHING);
    while purse.take() {}
    purse
}

fn tally() -> &'static Tally {
    Box::leak(Box::new(Tally::new()))
}

#[tokio::test(start_paused = true)]
async fn successes_of_all_members_earn() {
    let (purse, one, other) = (drained(), tally(), tally());
    one.add(EARNED, 1_000);
    purse.join(one);
    purse.join(other);
    assert_eq!(purse.left(), 0, "nothing for what was counted before");
    one.add(EARNED, 5);
    other.add(EARNED, 4);
    purse.called();
    assert_eq!(purse.left(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_takes_nothing_along() {
    let (purse, member) = (drained(), tally());
    purse.join(member);
    member.add(EARNED, 5);
    purse.leave(member);
    member.add(EARNED, 5);
    assert_eq!(purse.left(), 1);
    purse.join(member);
    member.add(EARNED, 5);
    assert_eq!(purse.left(), 2);
}

#[test]
fn time_that_passes_while_another_pays_is_earned_once() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("nothing is in its way");
    let _entered = runtime.enter();
    let purse = drained();
    std::thread::scope(|scope| {
        let mut account = purse.account();
        let other = scope.spawn(|| {
            let _entered = runtime.enter();
            purse.take()
        });
        // Time enough to be at the lock; whoever comes later finds the same.
        (0..10_000).for_each(|_| std::thread::yield_now());
        runtime.block_on(tokio::time::advance(Duration::from_secs(1)));
        assert!(account.budget.take(0, clock::tick()));
        drop(account);
        assert!(other.join().expect("no panic"));
    });
    assert_eq!(purse.left(), 8);
}

#[tokio::test(start_paused = true)]
async fn what_it_paid_and_what_it_did_not_is_counted() {
    let purse = drained();
    assert_eq!((purse.report(Tally::total).spent, purse.report(Tally::total).refused), (110, 1));
    purse.reset();
    assert_eq!(
        (
            purse.report(Tally::total).spent,
            purse.report(Tally::total).refused,
            purse.report(Tally::total).left
        ),
        (0, 0, 110)
    );
}

#[tokio::test(start_paused = true)]
async fn other_settings_keep_what_was_earned() {
    let (purse, member) = (drained(), tally());
    purse.join(member);
    member.add(EARNED, 50);
    purse.apply(&Written::NOTHING.set(slot::CREDIT, Value::number(1.0)));
    assert_eq!(purse.left(), 10);
    member.add(EARNED, 5);
    assert_eq!(purse.left(), 15);
}

#[test]
fn a_payer_leads_to_its_budget() {
    let purse = Purse::numbered("a payer", &Written::NOTHING);
    assert_eq!(Payer::of(Some(purse)).purse(), Some(purse));
    assert_eq!((Payer::of(None).purse(), Payer::NOBODY.purse()), (None, None));
}

#[test]
fn what_is_set_is_what_a_configuration_says() {
    let written =
        RetryBudget { written: Written::NOTHING }.capacity(7).credit(0.5).reserve(3).enabled(true).written;
    assert_eq!(Income::of(&written), Income { capacity: 7, credit: 0.5, reserve: 3 });
    assert_eq!(Income::of(&Written::NOTHING), Income::DEFAULT);
    for (index, key) in STEM.keys.iter().enumerate() {
        let value = written.get(index).expect("every key is set");
        assert_eq!(key.kind.complain(value), None, "{}", key.name);
    }
}

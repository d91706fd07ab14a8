//! Every order, within a bound, in which calls earn what retries spend.

use loom::sync::Arc as Shared;
use loom::thread;

use super::*;
use crate::sync::explore;
use crate::tally::enter_as;

fn drained() -> Shared<Purse> {
    let purse = Shared::new(Purse::new("drained", Payer::EACH, &Written::NOTHING));
    while purse.take() {}
    purse
}

fn spawn<T: 'static>(number: usize, purse: &Shared<Purse>, part: fn(&Purse) -> T) -> thread::JoinHandle<T> {
    let purse = Shared::clone(purse);
    thread::spawn(move || {
        enter_as(number);
        part(&purse)
    })
}

#[test]
fn five_calls_pay_one_of_two_retries() {
    explore("five_calls_pay_one_of_two_retries", || {
        let purse = drained();
        let calls = spawn(1, &purse, |purse| (0..5).for_each(|_| purse.called()));
        let retries = [spawn(2, &purse, Purse::take), spawn(3, &purse, Purse::take)];
        let paid = retries.into_iter().filter_map(|retry| retry.join().ok()).filter(|paid| *paid).count();
        calls.join().expect("no part panics");
        assert_eq!(purse.left() + paid as u64, 1, "{paid} paid at once");
    });
}

#[test]
fn a_refill_races_a_retry() {
    explore("a_refill_races_a_retry", || {
        let purse = drained();
        let refill = spawn(1, &purse, Purse::refill);
        let paid = spawn(2, &purse, Purse::take).join().expect("no part panics");
        refill.join().expect("no part panics");
        assert_eq!(purse.left(), 110 - u64::from(paid));
    });
}

//! One budget and those who share it.

use std::sync::PoisonError;

use super::state::FIRST_TRY;
use crate::budget::Budget;
use crate::clock;
use crate::registry::{SharedSite, registry};
use crate::sync::{Mutex, MutexGuard};
use crate::tally::Tally;

const CALLS: usize = 0;

/// Name of the budget that retries share which name none.
pub(super) const DEFAULT: &str = "default";

/// A budget by name, shared by all retries that name it.
///
/// A call is credited when its first attempt is over. Those that needed no other are in their policy's
/// statistics anyway, so a success counts once.
#[derive(Debug)]
pub(super) struct Purse {
    calls: Tally,
    account: Mutex<Account>,
}

#[derive(Debug)]
struct Account {
    budget: Budget,
    members: Vec<Member>,
    /// What members earned that have left.
    former: u64,
}

/// A policy whose calls earn.
#[derive(Debug)]
struct Member {
    tally: &'static Tally,
    /// What it had counted before it joined.
    before: u64,
}

impl Member {
    fn earned(&self) -> u64 {
        self.tally.sum(FIRST_TRY).saturating_sub(self.before)
    }
}

/// Each is the only one of its name.
impl PartialEq for Purse {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Purse {
    fn new() -> Self {
        let account = Account { budget: Budget::FULL, members: Vec::new(), former: 0 };
        Self { calls: Tally::new(), account: Mutex::new(account) }
    }

    pub(super) fn named(name: &'static str) -> Option<&'static Self> {
        static DEFAULT_PURSE: SharedSite<Purse> = SharedSite::new(DEFAULT);
        match name {
            "none" => None,
            DEFAULT => Some(DEFAULT_PURSE.get(Self::new)),
            _ => Some(registry().0.shared(name, Self::new)),
        }
    }

    pub(super) fn join(&self, tally: &'static Tally) {
        self.account().members.push(Member { tally, before: tally.sum(FIRST_TRY) });
    }

    pub(super) fn leave(&self, tally: &Tally) {
        let mut account = self.account();
        if let Some(at) = account.members.iter().position(|member| std::ptr::eq(member.tally, tally)) {
            account.former += account.members.swap_remove(at).earned();
        }
    }

    /// A call that no member's statistics credit.
    pub(super) fn called(&self) {
        self.calls.add(CALLS, 1);
    }

    pub(super) fn take(&self) -> bool {
        let mut account = self.account();
        let calls = self.calls(&account);
        // Read while nobody else can pay: a clock that runs backwards earns the same time twice.
        account.budget.take(calls, clock::tick())
    }

    pub(super) fn left(&self) -> u64 {
        let account = self.account();
        account.budget.left(self.calls(&account), clock::tick())
    }

    pub(super) fn refill(&self) {
        self.account().budget = Budget::FULL;
    }

    fn calls(&self, account: &Account) -> u64 {
        let earned = account.members.iter().map(Member::earned);
        self.calls.sum(CALLS) + account.former + earned.sum::<u64>()
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, resilient_loom))]
#[path = "races.rs"]
mod races;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn drained() -> Purse {
        let purse = Purse::new();
        while purse.take() {}
        purse
    }

    fn tally() -> &'static Tally {
        Box::leak(Box::new(Tally::new()))
    }

    #[tokio::test(start_paused = true)]
    async fn successes_of_all_members_earn() {
        let (purse, one, other) = (drained(), tally(), tally());
        one.add(FIRST_TRY, 1_000);
        purse.join(one);
        purse.join(other);
        assert_eq!(purse.left(), 0, "nothing for what was counted before");
        one.add(FIRST_TRY, 5);
        other.add(FIRST_TRY, 4);
        purse.called();
        assert_eq!(purse.left(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_takes_nothing_along() {
        let (purse, member) = (drained(), tally());
        purse.join(member);
        member.add(FIRST_TRY, 5);
        purse.leave(member);
        member.add(FIRST_TRY, 5);
        assert_eq!(purse.left(), 1);
        purse.join(member);
        member.add(FIRST_TRY, 5);
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
}

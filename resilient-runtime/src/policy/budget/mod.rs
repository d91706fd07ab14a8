//! One budget and those who share it.
//!
//! Retries and hedges that name a budget draw on it: what they add to the calls of a dependency stays a share
//! of those calls, however many functions make them.

#[cfg(all(test, resilient_loom))]
mod races;
#[cfg(all(test, not(resilient_loom)))]
mod tests;

use std::sync::PoisonError;

use resilient_settings::stem::budget as slot;
use resilient_settings::{Value, Written};

use super::{Policy, Snapshot, Stem};
use crate::budget::{Budget, Income};
use crate::clock;
use crate::configure::Configure;
use crate::record::SharedSite;
use crate::registry::{Registry, registry};
use crate::shelf::Shelf;
use crate::sync::{Mutex, MutexGuard};
use crate::tally::{Since, Tally};

pub(crate) static STEM: Stem = Stem {
    table: &slot::TABLE,
    limit: |_| None,
    least_waits: |_| None,
    create: |name, written| Purse::numbered(name, written),
};

pub(crate) use slot::{DEFAULT, ENDLESS};

/// What a member counts here are calls that earn, once they have ended.
pub(crate) const EARNED: usize = 0;
/// And here, as they begin, those that draw on another budget and earn for that one.
pub(crate) const UNEARNED: usize = 13;

const CALLS: usize = 0;
const SPENT: usize = 1;
const REFUSED: usize = 2;

/// Settings of a named budget for retries and hedges.
///
/// A budget is made when the first function names it, and shared by all that do.
///
/// ```
/// use resilient_runtime::{configure, registry, retry};
///
/// #[retry(budget = "search")]
/// async fn find(words: &str) -> std::io::Result<usize> {
///     Ok(words.len())
/// }
///
/// # fn main() -> Result<(), resilient_runtime::ConfigError> {
/// configure().budget("search", |b| b.capacity(20).credit(0.1).reserve(1)).install()?;
///
/// let search = registry().budget("search").expect("just installed");
/// assert_eq!((search.left, search.spent, search.refused), (21, 0, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RetryBudget {
    written: Written,
}

impl RetryBudget {
    const fn with(self, key: usize, value: Value) -> Self {
        Self { written: self.written.set(key, value) }
    }

    /// Retries that calls can have earned at most. **Default: 100.**
    #[must_use]
    pub const fn capacity(self, retries: u32) -> Self {
        self.with(slot::CAPACITY, Value::count(retries))
    }

    /// Share of a retry that each call earns, at most 1. **Default: 0.2.**
    #[must_use]
    pub const fn credit(self, share: f64) -> Self {
        self.with(slot::CREDIT, Value::number(share))
    }

    /// Retries a second that are free. **Default: 10.**
    #[must_use]
    pub const fn reserve(self, retries: u32) -> Self {
        self.with(slot::RESERVE, Value::count(retries))
    }

    /// Whether it limits anything; otherwise it pays for whatever is asked. **Default: true.**
    #[must_use]
    pub const fn enabled(self, enabled: bool) -> Self {
        self.with(slot::ENABLED, Value::Flag(enabled))
    }
}

impl Income {
    fn of(written: &Written) -> Self {
        let count = |key| written.count(key).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        Self {
            capacity: count(slot::CAPACITY).unwrap_or(Self::DEFAULT.capacity),
            credit: written.number(slot::CREDIT).unwrap_or(Self::DEFAULT.credit),
            reserve: count(slot::RESERVE).unwrap_or(Self::DEFAULT.reserve),
        }
    }
}

impl Configure {
    /// Sets keys of the budget `name`.
    #[track_caller]
    pub fn budget(self, name: &str, set: impl FnOnce(RetryBudget) -> RetryBudget) -> Self {
        self.with(&STEM, name, &set(RetryBudget { written: Written::NOTHING }).written)
    }
}

impl Registry {
    /// Statistics of the budget `name`, once it is used or configured.
    #[must_use]
    pub fn budget(self, name: &str) -> Option<BudgetSnapshot> {
        self.find::<Purse>(name).map(|purse| purse.report(Tally::total))
    }

    /// Statistics of all budgets, by name.
    #[must_use]
    pub fn budgets(self) -> Vec<BudgetSnapshot> {
        let budget = |snapshot| match snapshot {
            Snapshot::Budget(budget) => Some(budget),
            _ => None,
        };
        self.snapshots().into_iter().filter_map(budget).collect()
    }
}

/// Statistics of a budget.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BudgetSnapshot {
    /// Name of the budget.
    pub name: &'static str,
    /// Whether it limits anything.
    pub enabled: bool,
    /// Retries that calls can have earned at most.
    pub capacity: u32,
    /// Share of a retry that each call earns.
    pub credit: f64,
    /// Retries a second that are free.
    pub reserve: u32,
    /// Retries in a row that it would pay for now, if it limits them.
    pub left: u64,
    /// Retries and hedges it paid for.
    pub spent: u64,
    /// Retries and hedges it did not pay for.
    pub refused: u64,
}

/// A budget by name, shared by all that name it.
///
/// A call is credited when its first attempt is over. Those that needed no other are in their policy's
/// statistics anyway, so a success counts once.
#[derive(Debug)]
pub(crate) struct Purse {
    name: &'static str,
    payer: Payer,
    calls: Tally,
    account: Mutex<Account>,
}

/// Who pays for further attempts, in a few bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Payer(pub(crate) u16);

impl Payer {
    /// No attempt is being made.
    pub(crate) const NOBODY: Self = Self(0);
    /// Whoever asks: the attempt around it has no budget.
    pub(crate) const EACH: Self = Self(1);
    const FIRST: usize = 2;

    pub(crate) fn of(purse: Option<&'static Purse>) -> Self {
        purse.map_or(Self::EACH, |purse| purse.payer)
    }

    /// The budget, unless there is none or more were made than the bits can tell.
    pub(crate) fn purse(self) -> Option<&'static Purse> {
        NUMBERED.get(usize::from(self.0).checked_sub(Self::FIRST)?)
    }
}

static NUMBERED: Shelf<&'static Purse, 64> = Shelf::new();

#[derive(Debug)]
struct Account {
    enabled: bool,
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
    fn new(tally: &'static Tally) -> Self {
        Self { tally, before: earned(tally) }
    }

    fn earned(&self) -> u64 {
        earned(self.tally).wrapping_sub(self.before)
    }
}

/// Less than nothing, perhaps, while calls run that earn nothing.
fn earned(tally: &Tally) -> u64 {
    tally.sum(EARNED).wrapping_sub(tally.sum(UNEARNED))
}

/// Each is the only one of its name.
impl PartialEq for Purse {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Purse {
    fn new(name: &'static str, payer: Payer, written: &Written) -> Self {
        let budget = Budget::full(Income::of(written));
        let enabled = written.is_on(slot::ENABLED);
        let account = Account { enabled, budget, members: Vec::new(), former: 0 };
        Self { name, payer, calls: Tally::new(), account: Mutex::new(account) }
    }

    fn numbered(name: &'static str, written: &Written) -> &'static Self {
        NUMBERED.push(|place| {
            let payer = u16::try_from(place + Payer::FIRST).map_or(Payer::EACH, Payer);
            Box::leak(Box::new(Self::new(name, payer, written)))
        })
    }

    pub(crate) fn named(name: &'static str) -> Option<&'static Self> {
        static DEFAULT_PURSE: SharedSite<Purse> = SharedSite::new(DEFAULT);
        match name {
            ENDLESS => None,
            DEFAULT => Some(DEFAULT_PURSE.get()),
            _ => Some(registry().0.get_or_create(name)),
        }
    }

    pub(crate) fn join(&self, tally: &'static Tally) {
        self.account().members.push(Member::new(tally));
    }

    pub(crate) fn leave(&self, tally: &Tally) {
        let mut account = self.account();
        if let Some(at) = account.members.iter().position(|member| std::ptr::eq(member.tally, tally)) {
            let earned = account.members.swap_remove(at).earned();
            account.former = account.former.wrapping_add(earned);
        }
    }

    /// A call that no member's statistics credit.
    pub(crate) fn called(&self) {
        self.credit(1);
    }

    pub(crate) fn credit(&self, calls: u64) {
        self.calls.add(CALLS, calls);
    }

    pub(crate) fn take(&self) -> bool {
        let mut account = self.account();
        let calls = self.calls(&account);
        // Read while nobody else can pay: a clock that runs backwards earns the same time twice.
        let paid = !account.enabled || account.budget.take(calls, clock::tick());
        drop(account);
        self.calls.add(if paid { SPENT } else { REFUSED }, 1);
        paid
    }

    pub(crate) fn left(&self) -> u64 {
        let account = self.account();
        account.budget.left(self.calls(&account), clock::tick())
    }

    pub(crate) fn refill(&self) {
        let mut account = self.account();
        account.budget = Budget::full(account.budget.income());
    }

    fn report(&self, count: Since) -> BudgetSnapshot {
        let account = self.account();
        let Income { capacity, credit, reserve } = account.budget.income();
        let left = account.budget.left(self.calls(&account), clock::tick());
        let (enabled, name) = (account.enabled, self.name);
        let (spent, refused) = (count(&self.calls, SPENT), count(&self.calls, REFUSED));
        BudgetSnapshot { name, enabled, capacity, credit, reserve, left, spent, refused }
    }

    fn calls(&self, account: &Account) -> u64 {
        let earned = account.members.iter().map(Member::earned).fold(account.former, u64::wrapping_add);
        self.calls.sum(CALLS).wrapping_add(earned).cast_signed().max(0).cast_unsigned()
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Policy for Purse {
    fn apply(&self, written: &Written) {
        let mut account = self.account();
        let calls = self.calls(&account);
        account.budget.change(Income::of(written), calls, clock::tick());
        account.enabled = written.is_on(slot::ENABLED);
    }

    fn snapshot(&self, count: Since) -> Snapshot {
        Snapshot::Budget(self.report(count))
    }

    fn reset(&self) {
        self.refill();
        self.calls.reset();
    }
}

//! Starts a second attempt when the first is slow or fails.
//!
//! All attempts run inside the one call, which nothing outlives: the first good answer ends the others where
//! they stand. Their number is bounded, and a budget pays for them.

mod attempts;
mod by_hand;
mod call;
#[cfg(all(test, resilient_loom))]
mod races;
mod recent;
mod rules;

use std::future::Future;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering::Relaxed};
use std::sync::{OnceLock, PoisonError, RwLock};
use std::time::Duration;

use resilient_settings::stem::hedge as slot;
use resilient_settings::{Value, Written, nanos};

pub use self::attempts::{hedge, hedge_with, own};
pub use self::by_hand::HedgeWith;

use self::attempts::Hedged;
use self::recent::{Quantile, Recent};
use super::budget::{self, Payer, Purse};
use super::{Policy, Snapshot, Stem};
use crate::configure::Configure;
use crate::frame;
use crate::level::ByClass;
use crate::outcome::{ByClassify, Classify};
use crate::registry::Registry;
use crate::tally::{Since, Tally};

pub(crate) static STEM: Stem = Stem {
    table: &slot::TABLE,
    limit: |_| None,
    least_waits: |written| {
        let hedges = Plan::in_force(written).max() > 1;
        written.time(slot::AFTER).filter(|_| hedges)
    },
    create: |name, written| Box::leak(Box::new(Hedge { written: *written, ..Hedge::new(name) })),
};

/// More at once is no hedge.
const MOST: u64 = 16;
const DEFAULT_MAX: u64 = 2;
const DEFAULT_QUANTILE: Quantile = Quantile(950);

const FIRST: usize = 0;
const HEDGED: usize = 1;
const FAILED: usize = 2;
const ABANDONED: usize = 3;
const PANICKED: usize = 4;
const HEDGES: usize = 5;
const DROPPED: usize = 6;
const REFUSED: usize = 7;
const DEADLINE: usize = 8;
/// Calls inside an attempt of a retry or hedge, whose budget pays for them and which they earn for.
const WITHIN: usize = 9;

/// Starts a second attempt when the first is slow or fails.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Hedge, attempt};
///
/// static SEARCH: Hedge = Hedge::new("search").after(Duration::from_millis(50));
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let answer = SEARCH.call(|| async {
///     if attempt() == 1 {
///         tokio::time::sleep(Duration::from_secs(60)).await;
///     }
///     Ok::<_, std::io::Error>(attempt())
/// });
/// assert_eq!(answer.await.unwrap(), 2);
/// # }
/// ```
///
/// Settings out of range mean the nearest one in range.
#[derive(Debug)]
pub struct Hedge {
    name: &'static str,
    written: Written,
    shared: OnceLock<Shared>,
}

/// What the calls of one hedge share.
#[derive(Debug)]
pub(crate) struct Shared {
    name: &'static str,
    /// What a call takes of the settings.
    plan: AtomicU64,
    settings: AtomicU64,
    recent: Recent,
    budget: RwLock<&'static str>,
    /// Of the budget, once a call has looked for it.
    payer: AtomicU16,
    /// Calls the budget has been credited for.
    credited: AtomicU64,
    tally: Tally,
}

/// How many attempts a call may make, and when, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan(u64);

/// When the next attempt starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Time(Duration),
    Quantile(Quantile),
}

impl Plan {
    /// Of a hedge that is switched off: not even the attempt there is counts as one.
    const OFF: Self = Self(0);
    const MAX_SHIFT: u32 = 56;
    const IS_QUANTILE: u64 = 1 << 55;
    const VALUE: u64 = Self::IS_QUANTILE - 1;

    fn of(written: &Written) -> Self {
        let after = match (written.time(slot::AFTER), written.number(slot::AFTER)) {
            (Some(time), _) => nanos(time).min(Self::VALUE),
            (None, Some(share)) => Self::IS_QUANTILE | u64::from(Quantile::of(share).0),
            (None, None) => Self::IS_QUANTILE | u64::from(DEFAULT_QUANTILE.0),
        };
        let max = written.count(slot::MAX).unwrap_or(DEFAULT_MAX).clamp(1, MOST);
        Self(max << Self::MAX_SHIFT | after)
    }

    fn in_force(written: &Written) -> Self {
        if written.is_on(slot::ENABLED) { Self::of(written) } else { Self::OFF }
    }

    const fn max(self) -> u32 {
        (self.0 >> Self::MAX_SHIFT) as u32
    }

    #[expect(clippy::cast_possible_truncation, reason = "made of so many bits")]
    const fn after(self) -> After {
        match self.0 & Self::VALUE {
            value if self.0 & Self::IS_QUANTILE == 0 => After::Time(Duration::from_nanos(value)),
            value => After::Quantile(Quantile(value as u16)),
        }
    }

    const fn quantile(self) -> Option<Quantile> {
        match self.after() {
            After::Quantile(quantile) => Some(quantile),
            After::Time(_) => None,
        }
    }
}

impl Quantile {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    fn of(share: f64) -> Self {
        let share = if share.is_nan() { 0.0 } else { share };
        Self((share * 1_000.0).round().clamp(500.0, 999.0) as u16)
    }
}

impl Shared {
    fn new(name: &'static str, written: &Written) -> Self {
        let shared = Self {
            name,
            plan: AtomicU64::new(Plan::OFF.0),
            settings: AtomicU64::new(0),
            recent: Recent::new(),
            budget: RwLock::new(budget::DEFAULT),
            payer: AtomicU16::new(Payer::NOBODY.0),
            credited: AtomicU64::new(0),
            tally: Tally::new(),
        };
        shared.apply(written);
        shared
    }

    fn apply(&self, written: &Written) {
        let plan = Plan::in_force(written);
        if self.plan() == Plan::OFF {
            // What passed meanwhile earns nothing.
            self.uncredited();
        }
        self.settings.store(Plan::of(written).0, Relaxed);
        self.plan.store(plan.0, Relaxed);
        plan.quantile().into_iter().for_each(|quantile| self.recent.refresh(quantile));
        let mut budget = self.budget.write().unwrap_or_else(PoisonError::into_inner);
        *budget = written.word(slot::BUDGET).unwrap_or(budget::DEFAULT);
        self.payer.store(Payer::NOBODY.0, Relaxed);
    }

    fn plan(&self) -> Plan {
        Plan(self.plan.load(Relaxed))
    }

    fn settings(&self) -> Plan {
        Plan(self.settings.load(Relaxed))
    }

    /// Time after which an attempt is slow, where it is known.
    fn after(&self, plan: Plan) -> Option<Duration> {
        match plan.after() {
            After::Time(time) => Some(time),
            After::Quantile(_) => self.recent.slow(),
        }
    }

    #[inline]
    fn payer(&self) -> Payer {
        match Payer(self.payer.load(Relaxed)) {
            // With `test-util` each runtime has its own budgets.
            payer if payer != Payer::NOBODY && !cfg!(feature = "test-util") => payer,
            _ => self.find_payer(),
        }
    }

    #[cold]
    fn find_payer(&self) -> Payer {
        // Held until the payer is stored, or another budget might come before it and be forgotten.
        let budget = self.budget.read().unwrap_or_else(PoisonError::into_inner);
        let payer = Payer::of(Purse::named(*budget));
        self.payer.store(payer.0, Relaxed);
        payer
    }

    /// Whether a budget pays for another attempt: that of the retry around the call, or its own.
    fn pays(&self) -> bool {
        if let Some(purse) = frame::payer().purse() {
            return purse.take();
        }
        let Some(purse) = self.payer().purse() else { return true };
        purse.credit(self.uncredited());
        purse.take()
    }

    /// Calls that have ended since this was last asked.
    fn uncredited(&self) -> u64 {
        let ended = [FIRST, HEDGED, FAILED, ABANDONED, PANICKED].map(|counter| self.tally.sum(counter));
        let ended = ended.into_iter().sum::<u64>().saturating_sub(self.tally.sum(WITHIN));
        ended.saturating_sub(self.credited.fetch_max(ended, Relaxed))
    }
}

impl Hedge {
    /// A hedge of its own, which shares its name in events only.
    ///
    /// The setters take effect before the first call.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, written: Written::NOTHING, shared: OnceLock::new() }
    }

    const fn with(mut self, key: usize, value: Value) -> Self {
        self.written = self.written.set(key, value);
        self
    }

    /// Time after which an attempt is slow and the next one starts. Zero starts all at once.
    #[must_use]
    pub const fn after(self, time: Duration) -> Self {
        self.with(slot::AFTER, Value::time(time))
    }

    /// Share of recent calls whose first attempt is not slow, from 0.5 to 0.999. **Default: 0.95.**
    ///
    /// The last thousand first attempts that succeeded say how long that takes, a millisecond at least. None is
    /// slow before the first twenty, or as many as it takes for one to lie above the share.
    #[must_use]
    pub const fn after_quantile(self, share: f64) -> Self {
        self.with(slot::AFTER, Value::number(share))
    }

    /// Attempts in all, the first included, at most 16; 1 switches hedges off. **Default: 2.**
    #[must_use]
    pub const fn max(self, attempts: u32) -> Self {
        self.with(slot::MAX, Value::count(attempts))
    }

    /// Whether it does anything; otherwise a call makes one attempt, as without. **Default: true.**
    #[must_use]
    pub const fn enabled(self, enabled: bool) -> Self {
        self.with(slot::ENABLED, Value::Flag(enabled))
    }

    /// Name of the budget that pays for hedges, or `"none"`. **Default: `"default"`.**
    ///
    /// Retries may share it. Inside an attempt of a retry, the budget of that one pays.
    #[must_use]
    pub const fn budget(self, name: &'static str) -> Self {
        self.with(slot::BUDGET, Value::Word(name))
    }

    /// Runs what `operation` makes, and again beside it when slow or failed.
    ///
    /// The first attempt runs where the call stands; each further one takes an allocation.
    ///
    /// # Errors
    ///
    /// The error of the first attempt when all fail. An error that is an answer (`Permanent` or `Ignored`) is
    /// as good as a success. [`when`](Self::when) and [`when_ok`](Self::when_ok) say otherwise.
    ///
    /// # Panics
    ///
    /// When it has to wait outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops all its attempts where they stand. So does its answer, before it returns.
    pub fn call<Op, Fut, T, E>(
        &self,
        operation: Op,
    ) -> impl Future<Output = Result<T, E>> + use<'_, Op, Fut, T, E>
    where
        Op: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Classify,
    {
        Hedged::new(self.shared(), operation, ByClass::<ByClassify>::NEW)
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its statistics.
    #[must_use]
    pub fn snapshot(&self) -> HedgeSnapshot {
        self.count(Tally::total)
    }

    fn count(&self, count: Since) -> HedgeSnapshot {
        let shared = self.shared();
        let (plan, total) = (shared.settings(), |counter| count(&shared.tally, counter));
        HedgeSnapshot {
            name: self.name,
            enabled: shared.plan() != Plan::OFF,
            max: plan.max(),
            after: shared.after(plan),
            first: total(FIRST),
            hedged: total(HEDGED),
            failed: total(FAILED),
            abandoned: total(ABANDONED),
            panicked: total(PANICKED),
            hedges: total(HEDGES),
            dropped: total(DROPPED),
            budget: total(REFUSED),
            deadline: total(DEADLINE),
        }
    }

    #[inline]
    fn shared(&self) -> &Shared {
        match self.shared.get() {
            Some(shared) => shared,
            None => self.start(),
        }
    }

    #[cold]
    fn start(&self) -> &Shared {
        self.shared.get_or_init(|| Shared::new(self.name, &self.written))
    }
}

impl Policy for Hedge {
    fn apply(&self, written: &Written) {
        self.shared().apply(written);
    }

    fn snapshot(&self, count: Since) -> Snapshot {
        Snapshot::Hedge(self.count(count))
    }

    fn reset(&self) {
        let shared = self.shared();
        shared.tally.reset();
        shared.recent.forget();
    }
}

impl Registry {
    /// The hedge `name`, if a function or the configuration knows it.
    #[must_use]
    pub fn hedge(self, name: &str) -> Option<&'static Hedge> {
        self.find(name)
    }
}

impl Configure {
    /// Sets keys of the hedge `name`.
    #[track_caller]
    pub fn hedge(self, name: &str, set: impl FnOnce(Hedge) -> Hedge) -> Self {
        self.with(&STEM, name, &set(Hedge::new("")).written)
    }
}

/// Statistics of a hedge.
///
/// Every call that ended is one of `first`, `hedged`, `failed`, `abandoned` and `panicked`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HedgeSnapshot {
    /// Name of the hedge.
    pub name: &'static str,
    /// Whether it does anything.
    pub enabled: bool,
    /// Attempts a call may make, if it does.
    pub max: u32,
    /// Time after which an attempt is slow, once it is known.
    pub after: Option<Duration>,
    /// Calls that their first attempt answered.
    pub first: u64,
    /// Calls that a further attempt answered.
    pub hedged: u64,
    /// Calls whose attempts all failed.
    pub failed: u64,
    /// Calls whose future was dropped.
    pub abandoned: u64,
    /// Calls that panicked.
    pub panicked: u64,
    /// Attempts beyond the first of each call.
    pub hedges: u64,
    /// Attempts dropped because another one had the answer.
    pub dropped: u64,
    /// Calls that the budget did not pay another attempt for.
    pub budget: u64,
    /// Calls that had no time left for another attempt.
    pub deadline: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_by_hand_is_what_a_configuration_says() {
        let time = Duration::from_millis(70);
        let hedge = Hedge::new("").after(time).max(3).budget("search").enabled(true);
        let plan = Plan::of(&hedge.written);
        assert_eq!((plan.max(), plan.after()), (3, After::Time(time)));
        assert_eq!(hedge.written.word(slot::BUDGET), Some("search"));
        for (index, key) in STEM.keys.iter().enumerate() {
            let value = hedge.written.get(index).expect("every key is set");
            assert_eq!(key.kind.complain(value), None, "{}", key.name);
        }
        let unset = Plan::of(&Written::NOTHING);
        assert_eq!((unset.max(), unset.after()), (2, After::Quantile(DEFAULT_QUANTILE)));
    }

    #[test]
    fn settings_out_of_range_mean_the_nearest_one() {
        let plan = |hedge: Hedge| Plan::of(&hedge.written);
        assert_eq!(plan(Hedge::new("").max(0)).max(), 1);
        assert_eq!(plan(Hedge::new("").max(u32::MAX)).max(), 16);
        for (share, nearest) in [(0.0, 500), (0.9949, 995), (1.0, 999), (f64::NAN, 500), (95.0, 999)] {
            let after = plan(Hedge::new("").after_quantile(share)).after();
            assert_eq!(after, After::Quantile(Quantile(nearest)), "{share}");
        }
        let longest = plan(Hedge::new("").after(Duration::MAX).max(16));
        assert_eq!((longest.max(), longest.quantile()), (16, None));
    }
}

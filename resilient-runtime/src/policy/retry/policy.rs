//! A retry as the registry holds it: settings in force, budget and statistics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::purse::Purse;
use super::state::{self, Terms};
use super::{RetrySnapshot, Settings};
use crate::clock;
use crate::frame::Deadline;
use crate::policy::{Policy, Snapshot, Written};
use crate::tally::Tally;

/// A retry as the registry holds it.
#[derive(Debug)]
pub struct RetryPolicy {
    pub(super) name: &'static str,
    /// What a call has to know before its first attempt, so that it need not look at the settings.
    within: AtomicU64,
    agreed: ArcSwap<Agreed>,
    /// Held while `agreed` and `within` change.
    changing: Mutex<()>,
    tally: Tally,
}

/// No call has begun under these settings.
const UNKNOWN: u64 = u64::MAX;
const NO_LIMIT: u64 = u64::MAX - 1;

/// What a call takes from its policy, once it needs it.
#[derive(Debug)]
pub struct Agreed {
    pub(super) settings: Settings,
    funds: Funds,
}

/// Where calls earn their retries.
#[derive(Clone, Copy, Debug)]
enum Funds {
    /// No call has begun under these settings.
    Unknown,
    Endless,
    Shared(&'static Purse),
}

impl Funds {
    fn purse(self) -> Option<&'static Purse> {
        match self {
            Self::Shared(purse) => Some(purse),
            Self::Unknown | Self::Endless => None,
        }
    }
}

impl RetryPolicy {
    pub(super) fn new(name: &'static str, written: &Written) -> Self {
        Self {
            name,
            within: AtomicU64::new(UNKNOWN),
            agreed: ArcSwap::from_pointee(Agreed { settings: Settings::of(written), funds: Funds::Unknown }),
            changing: Mutex::new(()),
            tally: Tally::new(),
        }
    }

    pub(super) fn in_force(&self) -> Settings {
        self.agreed.load().settings
    }

    /// The settings in force, their budget found.
    fn agreed(&'static self) -> Arc<Agreed> {
        let agreed = self.agreed.load_full();
        if let Funds::Unknown = agreed.funds { self.settle() } else { agreed }
    }

    #[cold]
    fn settle(&'static self) -> Arc<Agreed> {
        loop {
            let agreed = self.agreed.load_full();
            // Found before our lock is taken, because it takes one of the registry's.
            let purse = Purse::named(agreed.settings.budget);
            let changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
            if !Arc::ptr_eq(&agreed, &self.agreed.load()) {
                continue;
            }
            let Funds::Unknown = agreed.funds else { return agreed };
            purse.inspect(|purse| purse.join(&self.tally));
            let funds = purse.map_or(Funds::Endless, Funds::Shared);
            let agreed = self.agree(Agreed { settings: agreed.settings, funds });
            drop(changing);
            return agreed;
        }
    }

    /// The caller is the one who changes things.
    fn agree(&self, agreed: Agreed) -> Arc<Agreed> {
        let within = match agreed.funds {
            Funds::Unknown => UNKNOWN,
            _ => agreed.settings.within.map_or(NO_LIMIT, |limit| clock::nanos(limit).min(NO_LIMIT)),
        };
        self.within.store(within, Relaxed);
        let agreed = Arc::new(agreed);
        self.agreed.store(Arc::clone(&agreed));
        agreed
    }

    fn purse(&self) -> Option<&'static Purse> {
        self.agreed.load().funds.purse()
    }

    #[cold]
    fn deadline(&'static self, within: u64) -> Deadline {
        let within = match within {
            UNKNOWN => self.agreed().settings.within,
            nanos => Some(Duration::from_nanos(nanos)),
        };
        within.map_or(Deadline::NONE, Deadline::within)
    }
}

impl Terms for &'static RetryPolicy {
    fn name(&self) -> &'static str {
        self.name
    }

    #[inline]
    fn begin(&self) -> Deadline {
        match self.within.load(Relaxed) {
            NO_LIMIT => Deadline::NONE,
            within => self.deadline(within),
        }
    }

    /// Had it succeeded, the statistics would credit it.
    fn first_failed(&self, kept: &mut Option<Arc<Agreed>>) {
        if let Some(purse) = kept.get_or_insert_with(|| self.agreed()).funds.purse() {
            purse.called();
        }
    }

    fn settings(&self, kept: &mut Option<Arc<Agreed>>) -> Settings {
        kept.get_or_insert_with(|| self.agreed()).settings
    }

    fn pays(&self, kept: Option<&Agreed>) -> bool {
        kept.and_then(|agreed| agreed.funds.purse()).is_none_or(Purse::take)
    }

    #[inline]
    fn count(&self, counter: usize) {
        self.tally.add(counter, 1);
    }
}

impl Policy for RetryPolicy {
    fn apply(&self, written: &Written) {
        let settings = Settings::of(written);
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.agreed.load();
        let funds = if before.settings.budget == settings.budget { before.funds } else { Funds::Unknown };
        if let (Funds::Unknown, Some(former)) = (funds, before.funds.purse()) {
            former.leave(&self.tally);
        }
        self.agree(Agreed { settings, funds });
    }

    fn snapshot(&self) -> Snapshot {
        let total = |counter| self.tally.total(counter);
        Snapshot::Retry(RetrySnapshot {
            name: self.name,
            max: self.in_force().max,
            first_try: total(state::FIRST_TRY) + total(state::FIRST_TRY_ELSEWHERE),
            after_retry: total(state::AFTER_RETRY),
            exhausted: total(state::EXHAUSTED),
            not_retryable: total(state::NOT_RETRYABLE),
            deadline: total(state::DEADLINE),
            budget: total(state::BUDGET),
            retry_after: total(state::RETRY_AFTER),
            abandoned: total(state::ABANDONED),
            panicked: total(state::PANICKED),
            retries: total(state::RETRIES),
            budget_left: self.purse().map(Purse::left),
        })
    }

    fn reset(&self) {
        self.tally.reset();
        self.purse().into_iter().for_each(Purse::refill);
    }
}

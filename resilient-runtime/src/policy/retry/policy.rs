//! A retry as the registry holds it: settings in force, budget and statistics.

use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Mutex, MutexGuard, PoisonError};

use resilient_settings::Written;

use super::state::{self, Start, Terms};
use super::{RetrySnapshot, Settings};
use crate::frame::{Deadline, Trial};
use crate::policy::budget::{Payer, Purse};
use crate::policy::{Policy, Snapshot};
use crate::shelf::Shelf;
use crate::tally::{Since, Tally};

/// A retry as the registry holds it.
#[derive(Debug)]
pub struct RetryPolicy {
    pub(super) name: &'static str,
    /// The first attempt of a call, if that is all it has to know before it, or nothing.
    start: AtomicU64,
    /// Which of all there have been, so that a call can keep one without counting who does.
    agreed: AtomicUsize,
    all: Shelf<&'static Agreed, 4>,
    /// How many those are. Held while `agreed` and `start` change.
    known: Mutex<usize>,
    tally: Tally,
}

/// A call has to look at the settings: they say `within`, or no call has begun under them.
const LOOK: u64 = 0;

/// What a call takes from its policy, once it needs it.
#[derive(Debug, PartialEq)]
pub struct Agreed {
    pub(super) settings: Settings,
    funds: Funds,
}

impl Agreed {
    /// What a call has to know before its first attempt.
    fn start(&self) -> u64 {
        match (self.funds, self.settings.within) {
            _ if !self.settings.enabled => Trial::OUTSIDE.word(),
            (Funds::Unknown, _) | (_, Some(_)) => LOOK,
            (funds, None) => Trial::first(Payer::of(funds.purse())).word(),
        }
    }

    fn leaked(self) -> &'static Self {
        Box::leak(Box::new(self))
    }
}

/// Where calls earn their retries.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Funds {
    /// No call has begun under these settings.
    Unknown,
    Endless,
    Shared(&'static Purse),
}

impl Funds {
    fn new(settings: &Settings) -> Self {
        if settings.enabled { Self::Unknown } else { Self::Endless }
    }

    fn purse(self) -> Option<&'static Purse> {
        match self {
            Self::Shared(purse) => Some(purse),
            Self::Unknown | Self::Endless => None,
        }
    }
}

impl RetryPolicy {
    pub(super) fn new(name: &'static str, written: &Written) -> Self {
        let all = Shelf::new();
        let settings = Settings::of(written);
        let agreed = Agreed { settings, funds: Funds::new(&settings) };
        let start = agreed.start();
        all.push(|_| agreed.leaked());
        Self {
            name,
            start: AtomicU64::new(start),
            agreed: AtomicUsize::new(0),
            all,
            known: Mutex::new(1),
            tally: Tally::new(),
        }
    }

    fn in_force(&self) -> &'static Agreed {
        #[expect(clippy::expect_used, reason = "what is named was put there before")]
        self.all.get(self.agreed.load(Acquire)).expect("settings are never taken away")
    }

    pub(super) fn settings(&self) -> &'static Settings {
        &self.in_force().settings
    }

    /// What is in force, the budget found.
    fn agreed(&'static self) -> &'static Agreed {
        let agreed = self.in_force();
        if let Funds::Unknown = agreed.funds { self.settle() } else { agreed }
    }

    #[cold]
    fn settle(&'static self) -> &'static Agreed {
        loop {
            let agreed = self.in_force();
            // Found before our lock is taken, because it takes one of the registry's.
            let purse = Purse::named(agreed.settings.budget);
            let mut known = self.known();
            if !std::ptr::eq(agreed, self.in_force()) {
                continue;
            }
            let Funds::Unknown = agreed.funds else { return agreed };
            purse.inspect(|purse| purse.join(&self.tally));
            let funds = purse.map_or(Funds::Endless, Funds::Shared);
            return self.agree(&mut known, Agreed { settings: agreed.settings, funds });
        }
    }

    fn agree(&self, known: &mut usize, agreed: Agreed) -> &'static Agreed {
        let start = agreed.start();
        let place = (0..*known).find(|place| self.all.get(*place) == Some(&agreed)).unwrap_or_else(|| {
            self.all.push(|_| agreed.leaked());
            *known += 1;
            *known - 1
        });
        self.start.store(start, Relaxed);
        self.agreed.store(place, Release);
        self.in_force()
    }

    fn known(&self) -> MutexGuard<'_, usize> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn purse(&self) -> Option<&'static Purse> {
        self.in_force().funds.purse()
    }

    #[cold]
    fn begin_limited(&'static self) -> Start {
        let agreed = self.agreed();
        if !agreed.settings.enabled {
            return Start::OFF;
        }
        Start {
            trial: Trial::first(Payer::of(agreed.funds.purse())),
            deadline: agreed.settings.within.map_or(Deadline::NONE, Deadline::within),
        }
    }
}

impl Terms for &'static RetryPolicy {
    fn name(&self) -> &'static str {
        self.name
    }

    #[inline]
    fn begin(&self) -> Start {
        match self.start.load(Relaxed) {
            LOOK => self.begin_limited(),
            word => Start { trial: Trial::of_word(word), deadline: Deadline::NONE },
        }
    }

    /// Had it succeeded, the statistics would credit it.
    fn first_failed(&self, kept: &mut Option<&'static Agreed>) {
        if let Some(purse) = kept.get_or_insert_with(|| self.agreed()).funds.purse() {
            purse.called();
        }
    }

    fn paid_for(&self) {
        self.count(state::PAID_FOR);
    }

    fn settings<'a>(&'a self, kept: &mut Option<&'static Agreed>) -> &'a Settings {
        &kept.get_or_insert_with(|| self.agreed()).settings
    }

    fn pays(&self, kept: Option<&'static Agreed>) -> bool {
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
        let mut known = self.known();
        let before = self.in_force();
        let terms = |settings: &Settings| (settings.enabled, settings.budget);
        let same = terms(&before.settings) == terms(&settings);
        if let (false, Some(former)) = (same, before.funds.purse()) {
            former.leave(&self.tally);
        }
        let funds = if same { before.funds } else { Funds::new(&settings) };
        self.agree(&mut known, Agreed { settings, funds });
    }

    fn snapshot(&self, count: Since) -> Snapshot {
        let total = |counter| count(&self.tally, counter);
        Snapshot::Retry(RetrySnapshot {
            name: self.name,
            enabled: self.settings().enabled,
            max: self.settings().max,
            first_try: total(state::FIRST_TRY) + total(state::FIRST_TRY_ELSEWHERE),
            after_retry: total(state::AFTER_RETRY),
            exhausted: total(state::EXHAUSTED),
            not_retryable: total(state::NOT_RETRYABLE),
            deadline: total(state::DEADLINE),
            budget: total(state::BUDGET),
            retry_after: total(state::RETRY_AFTER),
            abandoned: total(state::ABANDONED),
            panicked: total(state::PANICKED),
            once: total(state::ONCE),
            retries: total(state::RETRIES),
            nested: total(state::NESTED),
            budget_left: self.purse().map(Purse::left),
        })
    }

    fn reset(&self) {
        self.tally.reset();
        self.purse().into_iter().for_each(Purse::refill);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::policy::retry::Retry;

    #[test]
    fn settings_that_come_back_take_no_more_memory() {
        let (slow, fast) = (Retry::new().within(Duration::from_secs(9)).written(), Retry::new().written());
        let policy: &RetryPolicy = Box::leak(Box::new(RetryPolicy::new("flaps", &fast)));
        for _ in 0..100 {
            policy.apply(&slow);
            assert_ne!(policy.begin().deadline, Deadline::NONE);
            policy.apply(&fast);
            assert_eq!(policy.begin().deadline, Deadline::NONE);
        }
        let bytes = *policy.known() * size_of::<Agreed>();
        assert!(bytes <= 2 * 256, "{bytes}");
    }
}

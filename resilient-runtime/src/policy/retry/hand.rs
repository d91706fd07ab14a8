//! What a retry made by hand carries into its calls: settings, predicates and hook.

use std::time::Duration;

use super::policy::Agreed;
use super::state::{FIRST_TRY, FIRST_TRY_ELSEWHERE, Rules, Start, Terms};
use super::{Retry, RetryCause, RetryPolicy, RetryWith, Settings};
use crate::frame::{self, Deadline, Trial};
use crate::outcome::{Cause, Classify};
use crate::policy::budget::{Payer, Purse};

/// No function given.
#[derive(Clone, Copy, Debug)]
pub struct Unset;

/// The function given.
#[derive(Clone, Copy)]
pub struct Set<F>(pub(super) F);

impl<F> std::fmt::Debug for Set<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Set")
    }
}

impl Retry {
    pub(super) fn hand(self) -> Hand {
        Hand { by: self.by(), when: Unset, when_ok: Unset, on_retry: Unset }
    }

    fn by(self) -> By {
        match self.policy {
            Some(policy) if self.set == 0 => By::Name(policy),
            Some(policy) => {
                By::Value { name: policy.name, settings: self.over(policy.settings()), counts: Some(policy) }
            }
            None => By::Value { name: self.name, settings: self.settings, counts: None },
        }
    }

    /// What was set here, and the rest from `base`.
    fn over(&self, base: &Settings) -> Settings {
        let mut written = self.written();
        for (key, value) in base.values().into_iter().enumerate() {
            written.put(key, written.get(key).or(value));
        }
        Settings::of(&written)
    }
}

impl<W, V, H> RetryWith<W, V, H> {
    pub(super) fn hand(self) -> Hand<W, V, H> {
        let Self { retry, when, when_ok, on_retry } = self;
        Hand { by: retry.by(), when, when_ok, on_retry }
    }
}

/// What a call made by hand carries along.
#[derive(Clone, Copy, Debug)]
pub struct Hand<W = Unset, V = Unset, H = Unset> {
    by: By,
    when: W,
    when_ok: V,
    on_retry: H,
}

#[derive(Clone, Copy, Debug)]
enum By {
    Name(&'static RetryPolicy),
    Value { name: &'static str, settings: Settings, counts: Option<&'static RetryPolicy> },
}

impl<W, V, H> Terms for Hand<W, V, H> {
    fn name(&self) -> &'static str {
        match self.by {
            By::Name(policy) => policy.name,
            By::Value { name, .. } => name,
        }
    }

    fn begin(&self) -> Start {
        match self.by {
            By::Name(policy) => policy.begin(),
            By::Value { settings, .. } if !settings.enabled => Start::OFF,
            By::Value { settings, .. } => {
                let purse = Purse::named(settings.budget);
                if frame::payer().purse().is_none() {
                    purse.into_iter().for_each(Purse::called);
                }
                Start {
                    trial: Trial::first(Payer::of(purse)),
                    deadline: settings.within.map_or(Deadline::NONE, Deadline::within),
                }
            }
        }
    }

    fn first_failed(&self, kept: &mut Option<&'static Agreed>) {
        if let By::Name(policy) = self.by {
            policy.first_failed(kept);
        }
    }

    fn paid_for(&self) {
        if let By::Name(policy) = self.by {
            policy.paid_for();
        }
    }

    fn settings<'a>(&'a self, kept: &mut Option<&'static Agreed>) -> &'a Settings {
        match &self.by {
            By::Name(policy) => Terms::settings(policy, kept),
            By::Value { settings, .. } => settings,
        }
    }

    fn pays(&self, kept: Option<&'static Agreed>) -> bool {
        match self.by {
            By::Name(policy) => policy.pays(kept),
            By::Value { settings, .. } => Purse::named(settings.budget).is_none_or(Purse::take),
        }
    }

    fn count(&self, counter: usize) {
        match self.by {
            By::Name(policy) => policy.count(counter),
            By::Value { counts: Some(policy), .. } => {
                policy.count(if counter == FIRST_TRY { FIRST_TRY_ELSEWHERE } else { counter });
            }
            By::Value { counts: None, .. } => {}
        }
    }
}

impl<T, E, W, V, H> Rules<Result<T, E>> for Hand<W, V, H>
where
    E: Classify,
    W: When<E>,
    V: WhenOk<T>,
    H: OnRetry<E>,
{
    fn cause(&self, out: &Result<T, E>) -> Option<Cause> {
        out.as_ref().err().map(Cause::of)
    }

    fn says(&self, out: &Result<T, E>) -> Option<bool> {
        match out {
            Ok(value) => self.when_ok.says(value),
            Err(error) => self.when.says(error),
        }
    }

    fn on_retry(&self, attempt: u32, delay: Duration, out: &Result<T, E>) {
        self.on_retry.hears(attempt, delay, RetryCause::of(Ok(out)));
    }
}

pub trait When<E> {
    fn says(&self, error: &E) -> Option<bool>;
}

pub trait WhenOk<T> {
    fn says(&self, value: &T) -> Option<bool>;
}

pub trait OnRetry<E> {
    fn hears(&self, attempt: u32, delay: Duration, cause: RetryCause<'_, E>);
}

impl<E> When<E> for Unset {
    fn says(&self, _: &E) -> Option<bool> {
        None
    }
}

impl<E, F: Fn(&E) -> bool> When<E> for Set<F> {
    fn says(&self, error: &E) -> Option<bool> {
        Some(self.0(error))
    }
}

impl<T> WhenOk<T> for Unset {
    fn says(&self, _: &T) -> Option<bool> {
        None
    }
}

impl<T, F: Fn(&T) -> bool> WhenOk<T> for Set<F> {
    fn says(&self, value: &T) -> Option<bool> {
        Some(self.0(value))
    }
}

impl<E> OnRetry<E> for Unset {
    fn hears(&self, _: u32, _: Duration, _: RetryCause<'_, E>) {}
}

impl<E, F: Fn(u32, Duration, RetryCause<'_, E>)> OnRetry<E> for Set<F> {
    fn hears(&self, attempt: u32, delay: Duration, cause: RetryCause<'_, E>) {
        self.0(attempt, delay, cause);
    }
}

//! Another answer when the first fails.
//!
//! A refusal always falls back; of the user's errors those do that are not an answer in
//! themselves. The fallback runs outside the layers below it.

use super::{Named, Policy, Snapshot, Stem, Written};
use crate::events::EventKind;
use crate::level::Failing;
use crate::outcome::{Cause, Causes};
use crate::registry::{self, Site};
use crate::tally::Tally;

pub(crate) static STEM: Stem = Stem {
    name: "fallback",
    keys: &[],
    excludes: &[],
    check: |_| Vec::new(),
    limit: |_| None,
    least_waits: |_| None,
    create: |name, _| Box::leak(Box::new(FallbackPolicy { name, tally: Tally::new() })),
};

/// Statistics of a fallback.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FallbackSnapshot {
    /// Name of the fallback.
    pub name: &'static str,
    /// Failed calls that the fallback answered with `Ok`.
    pub served: u64,
    /// Failed calls whose fallback failed too.
    pub failed: u64,
    /// Errors that were passed on because they are answers.
    pub passed_on: u64,
}

const SERVED: usize = 0;
const FAILED: usize = 1;
const PASSED_ON: usize = 2;

/// A fallback as the registry holds it.
#[derive(Debug)]
pub struct FallbackPolicy {
    name: &'static str,
    tally: Tally,
}

impl Policy for FallbackPolicy {
    fn apply(&self, _: &Written) {}

    fn snapshot(&self) -> Snapshot {
        Snapshot::Fallback(FallbackSnapshot {
            name: self.name,
            served: self.tally.total(SERVED),
            failed: self.tally.total(FAILED),
            passed_on: self.tally.total(PASSED_ON),
        })
    }

    fn reset(&self) {
        self.tally.reset();
    }
}

impl Named for FallbackPolicy {
    const STEM: &'static Stem = &STEM;
}

fn pass_on<T>(site: &'static Site<FallbackPolicy>, error: T) -> T {
    site.get().tally.add(PASSED_ON, 1);
    error
}

/// Whether the fallback steps in.
///
/// # Errors
///
/// The user's error, if it is an answer to pass on.
#[cold]
pub fn fall_back<X: Failing, C: Causes<X::Error>>(
    site: &'static Site<FallbackPolicy>,
    fault: X,
    _: C,
) -> Result<X, X::Error> {
    let answer = fault.error().is_some_and(|error| match C::cause(error) {
        Cause::Class(class) => class.is_answer(),
        Cause::Rejected(_) => false,
    });
    decide(site, fault, answer)
}

/// The same with the user's predicate in place of the class.
///
/// # Errors
///
/// The user's error, if the predicate does not want the fallback.
#[cold]
pub fn fall_back_when<X: Failing>(
    site: &'static Site<FallbackPolicy>,
    fault: X,
    when: fn(&X::Error) -> bool,
) -> Result<X, X::Error> {
    let answer = fault.error().is_some_and(|error| !when(error));
    decide(site, fault, answer)
}

fn decide<X: Failing>(site: &'static Site<FallbackPolicy>, fault: X, answer: bool) -> Result<X, X::Error> {
    if !answer {
        return Ok(fault);
    }
    match fault.into_failed() {
        Ok(error) => Err(pass_on(site, error)),
        Err(fault) => Ok(fault),
    }
}

/// Reports what the fallback answered.
#[cold]
pub fn fell_back<T, E>(site: &'static Site<FallbackPolicy>, answer: &Result<T, E>) {
    let policy = site.get();
    let served = answer.is_ok();
    policy.tally.add(if served { SERVED } else { FAILED }, 1);
    registry::emit(STEM.name, policy.name, || EventKind::FellBack { served });
}

//! Another answer when the first fails.
//!
//! A refusal always falls back; of the user's errors those do that are not an answer in
//! themselves. The fallback runs outside the layers below it.

use super::{Policy, Snapshot, Stem, Written};
use crate::events::EventKind;
use crate::level::Judge;
use crate::outcome::Cause;
use crate::registry::{self, Record};
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
pub(crate) struct FallbackPolicy {
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

/// The answer, if the fallback is to leave it alone.
///
/// # Errors
///
/// What went wrong.
#[inline]
pub fn fall_back<const N: usize, O, C>(
    function: &'static Record<N>,
    layer: usize,
    out: O,
    _: C,
) -> Result<C::Answer, C::Fault>
where
    C: Judge<O>,
{
    match C::cause(&out) {
        None => C::split(out, true),
        Some(Cause::Class(class)) => decide::<O, C>(function.policy(layer), out, class.is_answer()),
        Some(Cause::Rejected(_)) => decide::<O, C>(function.policy(layer), out, false),
    }
}

/// The same with the user's predicate in place of the class.
///
/// # Errors
///
/// What went wrong.
#[inline]
pub fn fall_back_when<const N: usize, O, C>(
    function: &'static Record<N>,
    layer: usize,
    out: O,
    _: C,
    when: fn(&C::Error) -> bool,
) -> Result<C::Answer, C::Fault>
where
    C: Judge<O>,
{
    match C::seen(&out) {
        Ok(Ok(_)) => C::split(out, true),
        Ok(Err(error)) => {
            let keep = !when(error);
            decide::<O, C>(function.policy(layer), out, keep)
        }
        Err(_) => decide::<O, C>(function.policy(layer), out, false),
    }
}

#[cold]
fn decide<O, C: Judge<O>>(policy: &FallbackPolicy, out: O, keep: bool) -> Result<C::Answer, C::Fault> {
    let decided = C::split(out, keep);
    if decided.is_ok() {
        policy.tally.add(PASSED_ON, 1);
    }
    decided
}

/// Reports what the fallback answered.
#[cold]
pub fn fell_back<const N: usize, R, C: Judge<R>>(
    function: &'static Record<N>,
    layer: usize,
    answer: &R,
    _: C,
) {
    let policy: &FallbackPolicy = function.policy(layer);
    let served = C::is_ok(answer);
    policy.tally.add(if served { SERVED } else { FAILED }, 1);
    registry::emit(STEM.name, policy.name, || EventKind::FellBack { served });
}

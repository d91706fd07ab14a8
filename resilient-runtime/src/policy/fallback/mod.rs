//! Another answer when the first fails.
//!
//! A refusal always falls back; of the user's errors those do that are not an answer in
//! themselves. The fallback runs outside the layers below it.

#[cfg(feature = "cache")]
pub(crate) mod recall;

use resilient_settings::Written;
use resilient_settings::stem::fallback as slot;

use super::{Policy, Snapshot, Stem};
use crate::events::EventKind;
use crate::level::Judge;
use crate::outcome::Cause;
use crate::registry::{self, Record};
use crate::tally::{Since, Tally};

pub(crate) static STEM: Stem = Stem {
    table: &slot::TABLE,
    limit: |_| None,
    least_waits: |_| None,
    create: |name, written| Box::leak(Box::new(FallbackPolicy::new(name, written))),
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
    /// Good values kept now, where they are the answer.
    pub entries: u64,
}

const SERVED: usize = 0;
const FAILED: usize = 1;
const PASSED_ON: usize = 2;

/// A fallback as the registry holds it.
#[derive(Debug)]
pub(crate) struct FallbackPolicy {
    name: &'static str,
    tally: Tally,
    #[cfg(feature = "cache")]
    pub(super) memory: recall::Memory,
}

impl FallbackPolicy {
    #[cfg_attr(not(feature = "cache"), expect(unused_variables, reason = "only a memory has settings"))]
    fn new(name: &'static str, written: &Written) -> Self {
        Self {
            name,
            tally: Tally::new(),
            #[cfg(feature = "cache")]
            memory: recall::Memory::new(written),
        }
    }

    #[cfg(feature = "cache")]
    fn entries(&self) -> u64 {
        self.memory.len()
    }

    #[cfg(not(feature = "cache"))]
    #[expect(clippy::unused_self, reason = "it has no memory")]
    fn entries(&self) -> u64 {
        0
    }
}

impl Policy for FallbackPolicy {
    #[cfg(feature = "cache")]
    fn apply(&self, written: &Written) {
        self.memory.apply(written);
    }

    #[cfg(not(feature = "cache"))]
    fn apply(&self, _: &Written) {}

    fn snapshot(&self, count: Since) -> Snapshot {
        Snapshot::Fallback(FallbackSnapshot {
            name: self.name,
            served: count(&self.tally, SERVED),
            failed: count(&self.tally, FAILED),
            passed_on: count(&self.tally, PASSED_ON),
            entries: self.entries(),
        })
    }

    fn reset(&self) {
        self.tally.reset();
        #[cfg(feature = "cache")]
        self.memory.reset();
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
    function.policy::<FallbackPolicy>(layer).fell_back(C::is_ok(answer));
}

impl FallbackPolicy {
    #[cold]
    fn fell_back(&self, served: bool) {
        self.tally.add(if served { SERVED } else { FAILED }, 1);
        registry::emit(STEM.name, self.name, || EventKind::FellBack { served });
    }

    #[cfg(feature = "cache")]
    fn passed_on(&self) {
        self.tally.add(PASSED_ON, 1);
    }
}

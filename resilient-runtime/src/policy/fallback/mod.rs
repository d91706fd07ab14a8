//! Another answer when the first fails.
//!
//! A refusal always falls back; of the user's errors those do that are not an answer in
//! themselves. The fallback runs outside the layers below it.

#[cfg(feature = "cache")]
pub(crate) mod recall;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
#[cfg(feature = "cache")]
use std::time::Duration;

use resilient_settings::stem::fallback as slot;
use resilient_settings::{Value, Written};

use super::{Policy, Snapshot, Stem};
use crate::configure::Configure;
use crate::events::EventKind;
use crate::function::Function;
use crate::level::Judge;
use crate::outcome::Cause;
use crate::record::LayerSite;
use crate::registry;
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
    /// Whether it does anything.
    pub enabled: bool,
    /// Failed calls that the fallback answered with `Ok`.
    pub served: u64,
    /// Failed calls whose fallback failed too.
    pub failed: u64,
    /// Errors that were passed on: they are answers, or it was switched off.
    pub passed_on: u64,
    /// Good values kept now, where they are the answer.
    pub entries: u64,
}

/// Settings of a fallback, to be changed by name.
///
/// ```
/// use resilient_runtime::{configure, fallback, registry};
///
/// #[fallback(value = 0, name = "quotes")]
/// async fn quote(sku: &str) -> Result<usize, std::io::Error> {
///     Err(std::io::ErrorKind::ConnectionRefused.into())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), resilient_runtime::ConfigError> {
/// assert_eq!(quote("tea").await.unwrap(), 0);
/// configure().fallback("quotes", |f| f.enabled(false)).install()?;
/// assert!(quote("tea").await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Fallback {
    written: Written,
}

impl Fallback {
    const fn with(mut self, key: usize, value: Value) -> Self {
        self.written = self.written.set(key, value);
        self
    }

    /// Whether it does anything; otherwise errors are passed on, and nothing is kept. **Default: true.**
    ///
    /// A policy's refusal is still answered: the function's error need have no place for it.
    #[must_use]
    pub const fn enabled(self, enabled: bool) -> Self {
        self.with(slot::ENABLED, Value::Flag(enabled))
    }

    /// Values that a `#[fallback(cached)]` keeps at once, at least one. The least recently used goes first.
    /// **Default: 1000.**
    #[cfg(feature = "cache")]
    #[must_use]
    pub const fn max_entries(self, entries: u32) -> Self {
        self.with(slot::MAX_ENTRIES, Value::count(entries))
    }

    /// Age up to which a value of a `#[fallback(cached)]` is an answer. **Default: no limit.**
    #[cfg(feature = "cache")]
    #[must_use]
    pub const fn max_age(self, time: Duration) -> Self {
        self.with(slot::MAX_AGE, Value::time(time))
    }
}

impl Configure {
    /// Sets keys of the fallback `name`.
    #[track_caller]
    pub fn fallback(self, name: &str, set: impl FnOnce(Fallback) -> Fallback) -> Self {
        self.with(&STEM, name, &set(Fallback { written: Written::NOTHING }).written)
    }
}

const SERVED: usize = 0;
const FAILED: usize = 1;
const PASSED_ON: usize = 2;

/// A fallback as the registry holds it.
#[derive(Debug)]
pub struct FallbackPolicy {
    name: &'static str,
    enabled: AtomicBool,
    tally: Tally,
    #[cfg(feature = "cache")]
    pub(super) memory: recall::Memory,
}

impl FallbackPolicy {
    fn new(name: &'static str, written: &Written) -> Self {
        Self {
            name,
            enabled: AtomicBool::new(written.is_on(slot::ENABLED)),
            tally: Tally::new(),
            #[cfg(feature = "cache")]
            memory: recall::Memory::new(written),
        }
    }

    fn is_on(&self) -> bool {
        self.enabled.load(Relaxed)
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
    fn apply(&self, written: &Written) {
        self.enabled.store(written.is_on(slot::ENABLED), Relaxed);
        #[cfg(feature = "cache")]
        self.memory.apply(written);
    }

    fn snapshot(&self, count: Since) -> Snapshot {
        Snapshot::Fallback(FallbackSnapshot {
            name: self.name,
            enabled: self.is_on(),
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
pub fn fall_back<O, C>(
    function: &'static Function,
    layer: &'static LayerSite<FallbackPolicy>,
    out: O,
    _: C,
) -> Result<C::Answer, C::Fault>
where
    C: Judge<O>,
{
    match C::cause(&out) {
        None => C::split(out, true),
        Some(Cause::Class(class)) => decide::<O, C>(layer.policy(function), out, class.is_answer()),
        Some(Cause::Rejected(_)) => decide::<O, C>(layer.policy(function), out, false),
    }
}

/// The same with the user's predicate in place of the class.
///
/// # Errors
///
/// What went wrong.
#[inline]
pub fn fall_back_when<O, C>(
    function: &'static Function,
    layer: &'static LayerSite<FallbackPolicy>,
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
            decide::<O, C>(layer.policy(function), out, keep)
        }
        Err(_) => decide::<O, C>(layer.policy(function), out, false),
    }
}

#[cold]
fn decide<O, C: Judge<O>>(policy: &FallbackPolicy, out: O, keep: bool) -> Result<C::Answer, C::Fault> {
    let decided = C::split(out, keep || !policy.is_on());
    if decided.is_ok() {
        policy.tally.add(PASSED_ON, 1);
    }
    decided
}

/// Reports what the fallback answered.
#[cold]
pub fn fell_back<R, C: Judge<R>>(
    function: &'static Function,
    layer: &'static LayerSite<FallbackPolicy>,
    answer: &R,
    _: C,
) {
    layer.policy(function).fell_back(C::is_ok(answer));
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

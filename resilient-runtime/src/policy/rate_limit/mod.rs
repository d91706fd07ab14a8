//! Caps how many calls start in a time.
//!
//! Calls beyond that wait for their turn, if they may, or are refused and told when to come back. A call that
//! is dropped while it waits leaves its turn to others; one that has started has used its permit.

mod call;
mod keys;
mod limiter;
mod line;
#[cfg(all(test, not(resilient_loom)))]
mod model;
mod queue;
#[cfg(all(test, resilient_loom))]
mod races;

use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use resilient_settings::stem::{observes, rate_limit as slot};
use resilient_settings::{Rate, Value, Written};

use self::call::{Limit, Limited, One, OneOf, Want};
use self::limiter::{Limiter, Terms};
use super::{Mode, Policy, Snapshot, Stem};
use crate::configure::Configure;
use crate::error::Rejected;
use crate::function::Function;
use crate::level::ByHand;
use crate::outcome::Unclassified;
use crate::record::LayerSite;
use crate::registry::Registry;
use crate::tally::{Since, Tally};

pub(crate) static STEM: Stem = Stem {
    table: &slot::TABLE,
    limit: |_| None,
    least_waits: |_| None,
    create: |name, written| Box::leak(Box::new(RateLimit { written: *written, ..RateLimit::new(name) })),
};

const DEFAULT_RATE: Rate = Rate::per_second(100);
const DEFAULT_MAX_KEYS: usize = 10_000;

const AT_ONCE: usize = 0;
const WAITED: usize = 1;
const REJECTED: usize = 2;
const ABANDONED: usize = 3;
const WOULD_REJECT: usize = 4;
/// Nanoseconds.
const WAIT_TIME: usize = 5;

/// Caps how many calls start in a time.
///
/// ```
/// use resilient_runtime::{Rate, RateLimit, Rejected};
///
/// static PARTNER: RateLimit = RateLimit::new("partner").rate(Rate::per_minute(2));
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// for _ in 0..2 {
///     assert_eq!(PARTNER.call(async { Ok::<_, Rejected>(42) }).await, Ok(42));
/// }
/// let refused = PARTNER.call(async { Ok::<_, Rejected>(42) }).await.unwrap_err();
/// assert_eq!(refused.retry_after(), Some(std::time::Duration::from_secs(30)));
/// # }
/// ```
#[derive(Debug)]
pub struct RateLimit {
    name: &'static str,
    written: Written,
    shared: OnceLock<Shared>,
}

/// What the calls of one limit share.
#[derive(Debug)]
struct Shared {
    name: &'static str,
    limiter: Limiter,
    tally: Tally,
}

impl Terms {
    fn new(written: &Written) -> Self {
        let rate = written.rate(slot::RATE).unwrap_or(DEFAULT_RATE);
        let burst =
            written.count(slot::BURST).map_or(rate.permits(), |n| u32::try_from(n).unwrap_or(u32::MAX));
        let max_keys = written.count(slot::MAX_KEYS).and_then(|n| usize::try_from(n).ok());
        Self {
            rate,
            burst: burst.max(1),
            max_wait: written.time(slot::MAX_WAIT).unwrap_or_default(),
            max_keys: max_keys.unwrap_or(DEFAULT_MAX_KEYS).max(1),
            enabled: written.is_on(slot::ENABLED),
            observes: observes(written, slot::MODE),
        }
    }
}

impl RateLimit {
    /// A limit of its own, which shares its name in errors and events only.
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

    /// Permits that come in a time. **Default: 100 a second.**
    #[must_use]
    pub const fn rate(self, rate: Rate) -> Self {
        self.with(slot::RATE, Value::rate(rate))
    }

    /// Permits that gather while nobody calls, at least one. **Default: those of one period of the rate.**
    ///
    /// In any stretch of time at most so many calls start, and those of the rate. With 1 the calls of
    /// "10/s" are a tenth of a second apart.
    #[must_use]
    pub const fn burst(self, permits: u32) -> Self {
        self.with(slot::BURST, Value::count(permits))
    }

    /// Time a call waits for its turn, cut to its deadline. **Default: zero; it is refused at once.**
    ///
    /// A call whose turn lies further away is refused at once; one that has begun to wait is served, even if
    /// its turn comes late.
    #[must_use]
    pub const fn max_wait(self, time: Duration) -> Self {
        self.with(slot::MAX_WAIT, Value::time(time))
    }

    /// Keys that have permits of their own. **Default: 10 000.**
    ///
    /// A key whose burst is whole gives its place to another. When none is, further keys share one
    /// allowance. A key takes some 40 bytes.
    #[must_use]
    pub const fn max_keys(self, keys: u32) -> Self {
        self.with(slot::MAX_KEYS, Value::count(keys))
    }

    /// Whether it does anything; otherwise calls start without a permit. **Default: true.**
    ///
    /// Permits that were used before it is switched off come back meanwhile, at the rate.
    #[must_use]
    pub const fn enabled(self, enabled: bool) -> Self {
        self.with(slot::ENABLED, Value::Flag(enabled))
    }

    /// Whether it refuses calls, or only observes. **Default: [`Mode::Enforce`].**
    ///
    /// While it observes no call waits. One that would have waited takes a permit that is still to come; one
    /// that would have been refused takes none.
    #[must_use]
    pub const fn mode(self, mode: Mode) -> Self {
        self.with(slot::MODE, mode.value())
    }

    /// Runs `future` once there is a permit for it.
    ///
    /// It asks for a permit when it is first polled; a refused future is never polled.
    ///
    /// # Errors
    ///
    /// [`Rejected::RateLimited`], converted into `E`, when its turn would come too late; otherwise whatever
    /// `future` returned.
    ///
    /// # Panics
    ///
    /// When it has to wait outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops `future` where it stands. A permit that it has is used up; while it waits it
    /// has none, and its turn goes to whoever asks next or waits behind it.
    pub fn call<F, T, E>(&self, future: F) -> impl Future<Output = Result<T, E>> + use<'_, F, T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<Rejected>,
    {
        ByHand { layer: Limited::<_, _, Unclassified>::new(Limit::one(self.shared()), future) }
    }

    /// The same with the permits of `key`, of which each has its own.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    ///
    /// # Panics
    ///
    /// As [`call`](Self::call).
    ///
    /// # Cancel safety
    ///
    /// As [`call`](Self::call).
    pub fn call_for<F, T, E>(
        &self,
        key: &str,
        future: F,
    ) -> impl Future<Output = Result<T, E>> + use<'_, F, T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<Rejected>,
    {
        ByHand { layer: Limited::<_, _, Unclassified>::new(Limit::one_of(self.shared(), key), future) }
    }

    /// Waits for a permit and uses it.
    ///
    /// # Errors
    ///
    /// [`Rejected::RateLimited`] when its turn would come too late.
    ///
    /// # Panics
    ///
    /// When it has to wait outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call while it waits uses no permit.
    pub async fn acquire(&self) -> Result<(), Rejected> {
        self.acquire_many(1).await
    }

    /// Waits for so many permits and uses them, at one moment.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire); at once if a burst has fewer.
    ///
    /// # Panics
    ///
    /// As [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    ///
    /// As [`acquire`](Self::acquire).
    pub async fn acquire_many(&self, permits: u32) -> Result<(), Rejected> {
        if permits == 0 {
            return Ok(());
        }
        let Limit(mut pass) = Limit::many(self.shared(), permits);
        std::future::poll_fn(|cx| pass.poll(cx)).await
    }

    /// Uses a permit that is there.
    ///
    /// # Errors
    ///
    /// [`Rejected::RateLimited`] when there is none now.
    pub fn try_acquire(&self) -> Result<(), Rejected> {
        self.try_acquire_many(1)
    }

    /// Uses so many permits, or none.
    ///
    /// # Errors
    ///
    /// [`Rejected::RateLimited`] when there are fewer now.
    pub fn try_acquire_many(&self, permits: u32) -> Result<(), Rejected> {
        if permits == 0 { Ok(()) } else { Limit::many(self.shared(), permits).take() }
    }

    /// Uses a permit of `key`.
    ///
    /// # Errors
    ///
    /// [`Rejected::RateLimited`] when there is none now.
    pub fn try_acquire_for(&self, key: &str) -> Result<(), Rejected> {
        Limit::one_of(self.shared(), key).take()
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its statistics.
    #[must_use]
    pub fn snapshot(&self) -> RateLimitSnapshot {
        self.count(Tally::total)
    }

    fn count(&self, count: Since) -> RateLimitSnapshot {
        let Shared { limiter, tally, .. } = self.shared();
        let (terms, count) = (limiter.terms(), |counter| count(tally, counter));
        let waited = count(WAITED);
        RateLimitSnapshot {
            name: self.name,
            enabled: terms.enabled,
            observes: terms.observes,
            rate: terms.rate,
            burst: terms.burst,
            available: limiter.available(),
            keys: limiter.keys().len(),
            waiting: limiter.waiting() as u64,
            admitted: count(AT_ONCE) + waited,
            waited,
            wait_time: Duration::from_nanos(count(WAIT_TIME)),
            rejected: count(REJECTED),
            abandoned: count(ABANDONED),
            would_reject: count(WOULD_REJECT),
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
        self.shared.get_or_init(|| Shared {
            name: self.name,
            limiter: Limiter::new(Terms::new(&self.written)),
            tally: Tally::new(),
        })
    }
}

impl Policy for RateLimit {
    fn apply(&self, written: &Written) {
        self.shared().limiter.reconfigure(Terms::new(written));
    }

    fn snapshot(&self, count: Since) -> Snapshot {
        Snapshot::RateLimit(self.count(count))
    }

    /// Whoever waits goes on, and the burst is whole.
    fn reset(&self) {
        self.shared().limiter.forget();
        self.shared().tally.reset();
    }
}

impl Registry {
    /// The rate limit `name`, if a function or the configuration knows it.
    #[must_use]
    pub fn rate_limit(self, name: &str) -> Option<&'static RateLimit> {
        self.find(name)
    }
}

impl Configure {
    /// Sets keys of the rate limit `name`.
    #[track_caller]
    pub fn rate_limit(self, name: &str, set: impl FnOnce(RateLimit) -> RateLimit) -> Self {
        self.with(&STEM, name, &set(RateLimit::new("")).written)
    }
}

/// Statistics of a rate limit.
///
/// Every call that came is one of `admitted`, `rejected`, `abandoned` and `waiting`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimitSnapshot {
    /// Name of the limit.
    pub name: &'static str,
    /// Whether it does anything.
    pub enabled: bool,
    /// Whether it refuses no call, and only counts those that it would have refused.
    pub observes: bool,
    /// Permits that come in a time.
    pub rate: Rate,
    /// Permits that gather.
    pub burst: u32,
    /// Permits that are there now; of a limit with keys, nobody's.
    pub available: u32,
    /// Keys that have permits of their own.
    pub keys: usize,
    /// Calls that wait now.
    pub waiting: u64,
    /// Calls that got a permit, or needed none.
    pub admitted: u64,
    /// Of these, those that had to wait for it.
    pub waited: u64,
    /// Time that these waited, all together.
    pub wait_time: Duration,
    /// Calls that were refused.
    pub rejected: u64,
    /// Calls whose future was dropped while they waited.
    pub abandoned: u64,
    /// Those admitted that it would have refused if it did not only observe.
    pub would_reject: u64,
}

/// The limit of an annotated function.
#[inline]
#[must_use]
pub fn limiter(function: &'static Function, layer: &'static LayerSite<RateLimit>) -> Limit<'static, One> {
    Limit::one(layer.policy(function).shared())
}

/// The limit of one key of an annotated function.
#[inline]
#[must_use]
pub fn limiter_for(
    function: &'static Function,
    layer: &'static LayerSite<RateLimit>,
    key: impl AsRef<str>,
) -> Limit<'static, OneOf> {
    Limit::one_of(layer.policy(function).shared(), key.as_ref())
}

/// The layer of an annotated function.
#[inline]
pub fn rate_limit<F, W: Want, C>(limit: Limit<'static, W>, inner: F, _: C) -> Limited<'static, F, W, C> {
    Limited::new(limit, inner)
}

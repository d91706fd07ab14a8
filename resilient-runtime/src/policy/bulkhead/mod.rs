//! Caps how many calls run at once.
//!
//! Calls beyond that wait in the order they came, if they may, or are refused. A call that is dropped
//! gives its place back, and one that waits leaves no hole in the queue.

mod gate;
mod place;
#[cfg(all(test, resilient_loom))]
mod races;
#[cfg(all(test, not(resilient_loom)))]
mod tests;

use std::future::Future;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use resilient_settings::stem::{bulkhead as slot, observes};
use resilient_settings::{Value, Written, nanos};

pub use self::place::BulkheadPermit;

use self::gate::Gate;
use self::place::{Confined, Place};
use super::{Mode, Policy, Snapshot, Stem};
use crate::configure::Configure;
use crate::error::Rejected;
use crate::function::Function;
use crate::held::{Holding, Id, Keeper};
use crate::level::ByHand;
use crate::outcome::Unclassified;
use crate::record::LayerSite;
use crate::registry::Registry;
use crate::tally::{Since, Tally};

pub(crate) static STEM: Stem = Stem {
    table: &slot::TABLE,
    limit: |_| None,
    least_waits: |_| None,
    create: |name, written| Box::leak(Box::new(Bulkhead { written: *written, ..Bulkhead::new(name) })),
};

const DEFAULT_MAX_CONCURRENT: u32 = 25;

/// Beside the time a call may wait: some have waited that may not.
const WAITED_FOR: u64 = 1 << 63;
const RECOUNT: Duration = Duration::from_millis(100);

const ADMITTED: usize = 0;
const WAITED: usize = 1;
const REJECTED: usize = 2;
const ABANDONED: usize = 3;
const WOULD_REJECT: usize = 4;
const WOULD_WAIT: usize = 5;
/// Nanoseconds.
const WAIT_TIME: usize = 6;

/// Caps how many calls run at once.
///
/// ```
/// use resilient_runtime::{Bulkhead, Rejected};
///
/// static DISK: Bulkhead = Bulkhead::new("disk").max_concurrent(1);
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let running = DISK.try_acquire().unwrap();
/// let refused = DISK.call(async { Ok::<_, Rejected>(42) }).await;
/// assert_eq!(refused, Err(Rejected::BulkheadFull { name: "disk" }));
/// drop(running);
/// assert_eq!(DISK.call(async { Ok::<_, Rejected>(42) }).await, Ok(42));
/// # }
/// ```
#[derive(Debug)]
pub struct Bulkhead {
    name: &'static str,
    written: Written,
    shared: OnceLock<Shared>,
}

/// What the calls of one bulkhead share.
#[derive(Debug)]
pub struct Shared {
    name: &'static str,
    id: Id,
    gate: Gate,
    max_concurrent: AtomicU32,
    max_wait: AtomicU64,
    max_queue: AtomicU32,
    enabled: AtomicBool,
    observes: AtomicBool,
}

impl Shared {
    fn new(name: &'static str, written: &Written) -> Self {
        let shared = Self {
            name,
            id: Id::new(Keeper::Bulkhead),
            gate: Gate::new(DEFAULT_MAX_CONCURRENT),
            max_concurrent: AtomicU32::new(DEFAULT_MAX_CONCURRENT),
            max_wait: AtomicU64::new(0),
            max_queue: AtomicU32::new(0),
            enabled: AtomicBool::new(true),
            observes: AtomicBool::new(false),
        };
        shared.apply(written);
        shared
    }

    fn apply(&self, written: &Written) {
        let count = |key| written.count(key).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        let waited_for = self.max_wait.load(Relaxed) & WAITED_FOR;
        self.max_wait.store(written.time(slot::MAX_WAIT).map_or(0, nanos) | waited_for, Relaxed);
        self.max_queue.store(count(slot::MAX_QUEUE).unwrap_or(u32::MAX), Relaxed);
        let places = count(slot::MAX_CONCURRENT).unwrap_or(DEFAULT_MAX_CONCURRENT).max(1);
        let (enabled, observes) = (written.is_on(slot::ENABLED), observes(written, slot::MODE));
        self.max_concurrent.store(places, Relaxed);
        self.enabled.store(enabled, Relaxed);
        self.observes.store(observes, Relaxed);
        // Who runs takes a place all the same, so that nothing has to be counted again when it is switched on.
        if !enabled || observes {
            self.gate.set_places(u32::MAX);
        }
        if enabled {
            self.gate.set_places(places);
        }
    }

    fn observes(&self) -> bool {
        self.observes.load(Relaxed)
    }

    /// Notes that the caller has a place; where nobody waits, nobody asks.
    #[inline]
    fn hold(&self) -> Option<Holding> {
        self.waits().then(|| self.id.enter())
    }

    #[inline]
    fn waits(&self) -> bool {
        self.max_wait.load(Relaxed) != 0
    }

    fn max_wait(&self) -> Duration {
        Duration::from_nanos(self.max_wait.load(Relaxed) & !WAITED_FOR)
    }

    /// Lets calls leave as where others wait, from now on; and how often who waits looks itself, since a call
    /// that leaves at this moment may not know.
    fn be_waited_for(&self) -> Duration {
        self.max_wait.fetch_or(WAITED_FOR, Relaxed);
        RECOUNT
    }

    fn max_queue(&self) -> u32 {
        self.max_queue.load(Relaxed)
    }
}

impl Bulkhead {
    /// A bulkhead of its own, which shares its name in errors and events only.
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

    /// Calls that run at once, at least one. **Default: 25.**
    #[must_use]
    pub const fn max_concurrent(self, calls: u32) -> Self {
        self.with(slot::MAX_CONCURRENT, Value::count(calls))
    }

    /// Time a call waits for a place, cut to its deadline. **Default: zero; it is refused at once.**
    #[must_use]
    pub const fn max_wait(self, time: Duration) -> Self {
        self.with(slot::MAX_WAIT, Value::time(time))
    }

    /// Calls that wait at once. **Default: no limit.**
    #[must_use]
    pub const fn max_queue(self, calls: u32) -> Self {
        self.with(slot::MAX_QUEUE, Value::count(calls))
    }

    /// Whether it does anything; otherwise any number of calls run at once. **Default: true.**
    ///
    /// Those that run when it is switched on again take their places all the same.
    #[must_use]
    pub const fn enabled(self, enabled: bool) -> Self {
        self.with(slot::ENABLED, Value::Flag(enabled))
    }

    /// Whether it refuses calls, or only observes. **Default: [`Mode::Enforce`].**
    ///
    /// While it observes, calls beyond the places run at once and take places all the same. One that could
    /// have waited counts as such, though nobody knows whether it would have got a place in time.
    #[must_use]
    pub const fn mode(self, mode: Mode) -> Self {
        self.with(slot::MODE, mode.value())
    }

    /// Runs `future` in a place of the bulkhead.
    ///
    /// It asks for a place when it is first polled; a refused future is never polled. A call that would
    /// wait while the code around it has a place in the same bulkhead, or is within more than eight policies
    /// that others wait for, is refused: it might wait for itself.
    ///
    /// # Errors
    ///
    /// [`Rejected::BulkheadFull`], converted into `E`, when there is no place in time; otherwise whatever
    /// `future` returned.
    ///
    /// # Panics
    ///
    /// When it has to wait outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops `future` where it stands and gives its place back, or leaves the queue.
    pub fn call<F, T, E>(&self, future: F) -> impl Future<Output = Result<T, E>> + use<'_, F, T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<Rejected>,
    {
        ByHand { layer: Confined::<_, Unclassified>::new(self.shared(), future) }
    }

    /// Waits for a place, which the permit holds.
    ///
    /// # Errors
    ///
    /// [`Rejected::BulkheadFull`] when there is none in time.
    ///
    /// # Panics
    ///
    /// When it has to wait outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call leaves the queue.
    pub async fn acquire(&self) -> Result<BulkheadPermit<'_>, Rejected> {
        let mut place = Place::outside(self.shared());
        std::future::poll_fn(|cx| place.poll_enter(cx)).await?;
        Ok(BulkheadPermit::new(place))
    }

    /// Takes a place, which the permit holds.
    ///
    /// # Errors
    ///
    /// [`Rejected::BulkheadFull`] when there is none now.
    pub fn try_acquire(&self) -> Result<BulkheadPermit<'_>, Rejected> {
        let mut place = Place::outside(self.shared());
        place.enter_now()?;
        Ok(BulkheadPermit::new(place))
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its statistics.
    #[must_use]
    pub fn snapshot(&self) -> BulkheadSnapshot {
        self.count(Tally::total)
    }

    fn count(&self, count: Since) -> BulkheadSnapshot {
        let shared = self.shared();
        let (running, waiting) = shared.gate.load();
        let count = |counter| count(&shared.gate.tally, counter);
        BulkheadSnapshot {
            name: self.name,
            enabled: shared.enabled.load(Relaxed),
            observes: shared.observes(),
            max_concurrent: shared.max_concurrent.load(Relaxed),
            running,
            waiting,
            admitted: count(ADMITTED),
            waited: count(WAITED),
            wait_time: Duration::from_nanos(count(WAIT_TIME)),
            rejected: count(REJECTED),
            abandoned: count(ABANDONED),
            would_reject: count(WOULD_REJECT),
            would_wait: count(WOULD_WAIT),
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

impl Policy for Bulkhead {
    fn apply(&self, written: &Written) {
        self.shared().apply(written);
    }

    fn snapshot(&self, count: Since) -> Snapshot {
        Snapshot::Bulkhead(self.count(count))
    }

    /// Whoever runs or waits goes on.
    fn reset(&self) {
        self.shared().gate.tally.reset();
    }
}

impl Registry {
    /// The bulkhead `name`, if a function or the configuration knows it.
    #[must_use]
    pub fn bulkhead(self, name: &str) -> Option<&'static Bulkhead> {
        self.find(name)
    }
}

impl Configure {
    /// Sets keys of the bulkhead `name`.
    #[track_caller]
    pub fn bulkhead(self, name: &str, set: impl FnOnce(Bulkhead) -> Bulkhead) -> Self {
        self.with(&STEM, name, &set(Bulkhead::new("")).written)
    }
}

/// Statistics of a bulkhead.
///
/// Every call that came is one of `admitted`, `rejected`, `abandoned` and `waiting`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkheadSnapshot {
    /// Name of the bulkhead.
    pub name: &'static str,
    /// Whether it does anything.
    pub enabled: bool,
    /// Whether it refuses no call, and only counts those that it would have refused.
    pub observes: bool,
    /// Calls that may run at once, if it does.
    pub max_concurrent: u32,
    /// Calls that run now.
    pub running: u64,
    /// Calls that wait now.
    pub waiting: u64,
    /// Calls that got a place.
    pub admitted: u64,
    /// Of these, those that had to wait for it.
    pub waited: u64,
    /// Time that these waited, all together.
    pub wait_time: Duration,
    /// Calls that were refused.
    pub rejected: u64,
    /// Calls whose future was dropped while they waited.
    pub abandoned: u64,
    /// Those with a place that it would have refused if it did not only observe.
    pub would_reject: u64,
    /// Those with a place that would have waited for it.
    pub would_wait: u64,
}

/// The bulkhead of an annotated function, found before the call is made so that nothing moves it.
#[inline]
#[must_use]
pub fn places(function: &'static Function, layer: &'static LayerSite<Bulkhead>) -> &'static Shared {
    layer.policy(function).shared()
}

/// The layer of an annotated function.
#[inline]
pub fn bulkhead<F, C>(places: &'static Shared, inner: F, _: C) -> Confined<'static, F, C> {
    Confined::new(places, inner)
}

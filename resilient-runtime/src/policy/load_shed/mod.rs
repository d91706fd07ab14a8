//! Refuses the least important calls first when there are too many.
//!
//! Two ways to tell that there are: calls take longer than they do alone, so they queue behind one another
//! (`learner.rs` turns that into a limit on the calls under way), or the dependency accepts too few of them
//! (`throttle.rs` turns that into a share to refuse).

mod call;
mod gate;
mod learner;
mod overload;
#[cfg(all(test, not(resilient_loom)))]
mod pure;
#[cfg(all(test, resilient_loom))]
mod races;
mod settings;
mod shared;
#[cfg(all(test, not(resilient_loom)))]
mod simulated;
mod throttle;
mod throttled;

use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use resilient_settings::stem::load_shed as slot;
use resilient_settings::{Value, Written};

pub use self::call::LoadShedPermit;
pub use self::settings::{ShedAlgorithm, ShedMode};

use self::call::Shedding;
use self::shared::Shared;
use super::{Policy, Snapshot, Stem};
use crate::configure::Configure;
use crate::error::Rejected;
use crate::function::Function;
#[cfg(feature = "health")]
use crate::health::{self, Readiness};
use crate::level::ByHand;
use crate::outcome::{ByClassify, Classify};
use crate::priority::Priority;
use crate::record::LayerSite;
use crate::registry::Registry;
use crate::tally::{Since, Tally};

pub(crate) static STEM: Stem = Stem {
    table: &slot::TABLE,
    limit: |_| None,
    least_waits: |_| None,
    create: |name, written| {
        Box::leak(Box::new(LoadShed {
            written: *written,
            #[cfg(feature = "health")]
            by_hand: false,
            ..LoadShed::new(name)
        }))
    },
};

/// Refuses the least important calls first when there are too many.
///
/// How important a call is, [`with_priority`](crate::with_priority) says; otherwise it is
/// [`Priority::Normal`].
///
/// ```
/// use resilient_runtime::{LoadShed, Priority, Rejected, with_priority};
///
/// static SHOP: LoadShed = LoadShed::new("shop").initial_limit(4);
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let running: Vec<_> = (0..3).map(|_| SHOP.acquire().unwrap()).collect();
/// let call = || SHOP.call(async { Ok::<_, Rejected>(42) });
/// let refused = Rejected::Overloaded { name: "shop", priority: Priority::Optional };
/// assert_eq!(with_priority(Priority::Optional, call()).await, Err(refused));
/// assert_eq!(with_priority(Priority::Critical, call()).await, Ok(42));
/// # }
/// ```
#[derive(Debug)]
pub struct LoadShed {
    name: &'static str,
    written: Written,
    /// Whether the registry does not know it.
    #[cfg(feature = "health")]
    by_hand: bool,
    shared: OnceLock<Shared>,
}

impl LoadShed {
    /// A shedder of its own, which shares its name in errors and events only.
    ///
    /// The setters take effect before the first call.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            written: Written::NOTHING,
            #[cfg(feature = "health")]
            by_hand: true,
            shared: OnceLock::new(),
        }
    }

    const fn with(mut self, key: usize, value: Value) -> Self {
        self.written = self.written.set(key, value);
        self
    }

    /// What it goes by, or whether it refuses anything. **Default: [`ShedMode::Concurrency`] and
    /// [`ShedMode::Enforce`].**
    #[must_use]
    pub const fn mode(self, mode: ShedMode) -> Self {
        let key = match mode {
            ShedMode::Concurrency | ShedMode::Throttle => slot::MODE,
            ShedMode::Enforce | ShedMode::Observe => slot::ENFORCEMENT,
        };
        self.with(key, Value::Word(mode.as_str()))
    }

    /// How the limit moves. **Default: [`ShedAlgorithm::Gradient`].**
    #[must_use]
    pub const fn algorithm(self, algorithm: ShedAlgorithm) -> Self {
        self.with(slot::ALGORITHM, Value::Word(algorithm.as_str()))
    }

    /// Calls under way that it starts with. **Default: 20.**
    #[must_use]
    pub const fn initial_limit(self, calls: u32) -> Self {
        self.with(slot::INITIAL_LIMIT, Value::count(calls))
    }

    /// The limit is never lower, except while the baseline is measured. **Default: 4.**
    #[must_use]
    pub const fn min_limit(self, calls: u32) -> Self {
        self.with(slot::MIN_LIMIT, Value::count(calls))
    }

    /// The limit is never higher. **Default: 1000.**
    #[must_use]
    pub const fn max_limit(self, calls: u32) -> Self {
        self.with(slot::MAX_LIMIT, Value::count(calls))
    }

    /// How much longer calls may take than they do alone. **Default: as long again.**
    ///
    /// More time keeps the dependency busier, and lets calls queue longer.
    #[must_use]
    pub const fn queue_time(self, time: Duration) -> Self {
        self.with(slot::QUEUE_TIME, Value::time(time))
    }

    /// The time it looks at. **Default: `"100ms"`; throttling, `"2m"`.**
    ///
    /// A limit moves after so much time at the earliest, when twenty calls have ended that began at that
    /// limit.
    #[must_use]
    pub const fn window(self, time: Duration) -> Self {
        self.with(slot::WINDOW, Value::time(time))
    }

    /// The share of the limit from which on optional calls are refused. **Default: 0.6.**
    #[must_use]
    pub const fn optional_at(self, share: f64) -> Self {
        self.with(slot::OPTIONAL_AT, Value::number(share))
    }

    /// The share of the limit from which on normal calls are refused. **Default: 0.8.**
    #[must_use]
    pub const fn normal_at(self, share: f64) -> Self {
        self.with(slot::NORMAL_AT, Value::number(share))
    }

    /// The share of the limit from which on every other important call is refused. **Default: 0.9.**
    ///
    /// At the limit itself all of them are.
    #[must_use]
    pub const fn important_at(self, share: f64) -> Self {
        self.with(slot::IMPORTANT_AT, Value::number(share))
    }

    /// How many times the limit critical calls may reach. **Default: 2.0.**
    #[must_use]
    pub const fn critical_at(self, times: f64) -> Self {
        self.with(slot::CRITICAL_AT, Value::number(times))
    }

    /// Calls that are let through for each one accepted, when throttling. **Default: 2.0.**
    ///
    /// Of the calls in the window the share `max(0, (requests - k * accepts) / (requests + 1))` is refused,
    /// the least important first.
    #[must_use]
    pub const fn k(self, calls: f64) -> Self {
        self.with(slot::K, Value::number(calls))
    }

    /// Calls in the window before any is refused, when throttling. **Default: 10.**
    #[must_use]
    pub const fn min_calls(self, calls: u32) -> Self {
        self.with(slot::MIN_CALLS, Value::count(calls))
    }

    /// Whether it refuses anything; otherwise it counts and learns only. **Default: true.**
    #[must_use]
    pub const fn enabled(self, enabled: bool) -> Self {
        self.with(slot::ENABLED, Value::Flag(enabled))
    }

    /// What it means for the program that it is overloaded. **Default: nothing.**
    ///
    /// That it refuses calls is forgotten ten seconds after the last one: a program that gets none could not show
    /// that it is well again. [`health`](crate::health()) knows of no load shedder made by hand.
    #[cfg(feature = "health")]
    #[must_use]
    pub const fn readiness(self, readiness: Readiness) -> Self {
        self.with(slot::READINESS, Value::Word(readiness.as_str()))
    }

    /// Runs `future`, unless there are too many calls for its priority.
    ///
    /// It asks when it is first polled; a refused future is never polled.
    ///
    /// # Errors
    ///
    /// [`Rejected::Overloaded`], converted into `E`, when it refuses; otherwise whatever `future` returned.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops `future` where it stands and gives its place back. It counts against the
    /// limit if it took too long.
    pub fn call<F, T, E>(&self, future: F) -> impl Future<Output = Result<T, E>> + use<'_, F, T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<Rejected> + Classify,
    {
        ByHand { layer: Shedding::<_, ByClassify>::new(self.shared(), Priority::Normal, future) }
    }

    /// Admits one call, which the permit stands for.
    ///
    /// # Errors
    ///
    /// [`Rejected::Overloaded`] when there are too many calls for its priority.
    pub fn acquire(&self) -> Result<LoadShedPermit<'_>, Rejected> {
        LoadShedPermit::acquire(self.shared())
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its statistics.
    #[must_use]
    pub fn snapshot(&self) -> LoadShedSnapshot {
        self.shared().count(Tally::total)
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
        #[cfg(feature = "health")]
        if self.by_hand {
            health::warn_unless_known(&STEM, self.name, &self.written, &[slot::READINESS]);
        }
        self.shared.get_or_init(|| Shared::new(self.name, &self.written))
    }
}

impl Policy for LoadShed {
    fn apply(&self, written: &Written) {
        self.shared().apply(written);
    }

    fn snapshot(&self, count: Since) -> Snapshot {
        Snapshot::LoadShed(self.shared().count(count))
    }

    #[cfg(feature = "health")]
    fn readiness(&self) -> Readiness {
        self.shared().readiness()
    }

    #[cfg(feature = "health")]
    fn refuses(&self) -> bool {
        self.shared().refuses()
    }

    /// Whoever is under way goes on.
    fn reset(&self) {
        self.shared().reset();
    }
}

impl Registry {
    /// The load shedder `name`, if a function or the configuration knows it.
    #[must_use]
    pub fn load_shed(self, name: &str) -> Option<&'static LoadShed> {
        self.find(name)
    }
}

impl Configure {
    /// Sets keys of the load shedder `name`.
    #[track_caller]
    pub fn load_shed(self, name: &str, set: impl FnOnce(LoadShed) -> LoadShed) -> Self {
        self.with(&STEM, name, &set(LoadShed::new("")).written)
    }
}

/// Statistics of a load shedder.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LoadShedSnapshot {
    /// Name of the load shedder.
    pub name: &'static str,
    /// Whether it refuses anything.
    pub enabled: bool,
    /// Whether it refuses no call, and only counts those that it would have refused.
    pub observes: bool,
    /// What it goes by.
    pub mode: ShedMode,
    /// Calls that may be under way, as learned so far.
    pub limit: u64,
    /// Calls under way, but for those that were admitted while throttling.
    pub running: u64,
    /// How long a call takes alone, once that is known.
    pub baseline: Option<Duration>,
    /// How much longer calls took last.
    pub queue_time: Duration,
    /// The share of all calls that is refused now, when throttling.
    pub share: f64,
    /// Whether calls were refused in the last ten seconds, and none has shown since that it is over.
    pub overloaded: bool,
    /// Calls that were admitted, by priority.
    pub admitted: ByPriority,
    /// Calls that were refused, by priority.
    pub rejected: ByPriority,
    /// Those admitted that it would have refused if it did not only observe.
    pub would_reject: ByPriority,
}

/// A number for each priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ByPriority {
    /// Of critical calls.
    pub critical: u64,
    /// Of important calls.
    pub important: u64,
    /// Of normal calls.
    pub normal: u64,
    /// Of optional calls.
    pub optional: u64,
}

impl ByPriority {
    /// All of them together.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.critical + self.important + self.normal + self.optional
    }
}

/// The layer of an annotated function.
#[inline]
pub fn load_shed<F, C>(
    function: &'static Function,
    layer: &'static LayerSite<LoadShed>,
    priority: Priority,
    inner: F,
    _: C,
) -> Shedding<'static, F, C> {
    Shedding::new(layer.policy(function).shared(), priority, inner)
}

//! Lets one call run for all that ask the same at once.
//!
//! The first one leads; those that come while it runs wait for its answer. A leader that is dropped or
//! panics hands over to one that waits.

mod call;
mod flights;
#[cfg(all(test, resilient_loom))]
mod races;
#[cfg(all(test, not(resilient_loom)))]
mod tests;

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::Hash;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use resilient_settings::stem::coalesce as slot;
use resilient_settings::{Value, Written};

use self::call::{Coalesced, Seat};
use self::flights::Flights;
use super::{Policy, Snapshot, Stem};
use crate::configure::Configure;
use crate::copies::ByClone;
use crate::error::Rejected;
use crate::function::Function;
use crate::held::{Id, Keeper};
use crate::key::{self, Site};
use crate::level::ByHand;
use crate::outcome::{ByClassify, Classify};
use crate::record::LayerSite;
use crate::registry::Registry;
use crate::tally::{Since, Tally};

pub(crate) static STEM: Stem = Stem {
    table: &slot::TABLE,
    limit: |_| None,
    least_waits: |_| None,
    create: |name, written| {
        Box::leak(Box::new(Coalesce { enabled: written.flag(slot::ENABLED), ..Coalesce::new(name) }))
    },
};

const FLIGHTS: usize = 0;
const JOINED: usize = 1;
const HANDED_OVER: usize = 2;
const ALONE: usize = 3;
const LATE: usize = 4;

/// Lets one call run for all that ask the same at once.
///
/// ```
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use resilient_runtime::{Coalesce, Fault};
///
/// static QUOTES: Coalesce = Coalesce::new("quotes");
/// static ASKED: AtomicU32 = AtomicU32::new(0);
///
/// async fn ask() -> Result<u32, Fault<String>> {
///     ASKED.fetch_add(1, Ordering::Relaxed);
///     tokio::task::yield_now().await;
///     Ok(42)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let both = tokio::join!(QUOTES.call("tea", ask()), QUOTES.call("tea", ask()));
/// assert_eq!(both, (Ok(42), Ok(42)));
/// assert_eq!(ASKED.load(Ordering::Relaxed), 1);
/// # }
/// ```
#[derive(Debug)]
pub struct Coalesce {
    name: &'static str,
    enabled: Option<bool>,
    shared: OnceLock<Shared>,
}

/// What the calls of one policy share.
#[derive(Debug)]
struct Shared {
    name: &'static str,
    enabled: AtomicBool,
    id: Id,
    flights: Flights,
    hasher: RandomState,
    tally: Tally,
}

impl Coalesce {
    /// One of its own, which shares its name in errors and events only.
    ///
    /// The setter takes effect before the first call.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, enabled: None, shared: OnceLock::new() }
    }

    /// Whether it does anything; otherwise each call runs by itself. **Default: true.**
    ///
    /// Calls that wait when it is switched off get the answer that they wait for.
    #[must_use]
    pub const fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = Some(enabled);
        self
    }

    /// Runs `future`, or gives the answer of the call that runs for `key` already.
    ///
    /// Answers of different types have a key each. A call that might wait for its own caller runs by itself:
    /// where the code around it leads a flight of the same `Coalesce`, or one that such a flight waits for, or
    /// is within more than eight policies that others wait for. An error without `Clone` is for
    /// `#[coalesce]` only, where those who wait then run one after the other.
    ///
    /// # Errors
    ///
    /// Whatever the call that ran returned; [`Rejected::TimedOut`], converted into `E`, when the deadline of
    /// this one passes first. A refusal that may concern the call that ran alone is not given to others: its
    /// deadline passed, or would have before its turn at a rate limit, or it was too unimportant for a load
    /// shedder. The next one runs then.
    ///
    /// # Panics
    ///
    /// When it has to wait, and no longer than to a deadline, outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping a call that waits concerns nobody else. Dropping the one that runs, or its panic, lets the
    /// first that waits run.
    pub fn call<'a, K, F, T, E>(
        &'a self,
        key: &K,
        future: F,
    ) -> impl Future<Output = Result<T, E>> + use<'a, K, F, T, E>
    where
        K: Hash + Eq + ToOwned<Owned: Eq + Send + Sync + 'static> + ?Sized,
        F: Future<Output = Result<T, E>>,
        T: Clone + Send + Sync + 'static,
        E: From<Rejected> + Classify + Clone + Send + Sync + 'static,
    {
        let seat = self.shared().seat(Site::of::<(K::Owned, T, E)>(), &(key,));
        ByHand { layer: Coalesced::<_, _, ByClassify, (ByClone, ByClone)>::new(seat, future) }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its statistics.
    #[must_use]
    pub fn snapshot(&self) -> CoalesceSnapshot {
        self.count(Tally::total)
    }

    fn count(&self, count: Since) -> CoalesceSnapshot {
        let Shared { enabled, flights, tally, .. } = self.shared();
        let (in_flight, waiting) = flights.load();
        let count = |counter| count(tally, counter);
        CoalesceSnapshot {
            name: self.name,
            enabled: enabled.load(Relaxed),
            in_flight,
            waiting,
            flights: count(FLIGHTS),
            joined: count(JOINED),
            handed_over: count(HANDED_OVER),
            alone: count(ALONE),
            timed_out: count(LATE),
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
            enabled: AtomicBool::new(self.enabled.unwrap_or(true)),
            id: Id::new(Keeper::Coalesce),
            flights: Flights::new(),
            hasher: RandomState::new(),
            tally: Tally::new(),
        })
    }
}

impl Policy for Coalesce {
    fn apply(&self, written: &Written) {
        self.shared().enabled.store(written.is_on(slot::ENABLED), Relaxed);
    }

    fn snapshot(&self, count: Since) -> Snapshot {
        Snapshot::Coalesce(self.count(count))
    }

    /// Whoever leads or waits goes on.
    fn reset(&self) {
        self.shared().tally.reset();
    }
}

impl Configure {
    /// Sets keys of the coalescing policy `name`.
    #[track_caller]
    pub fn coalesce(self, name: &str, set: impl FnOnce(Coalesce) -> Coalesce) -> Self {
        let mut written = Written::NOTHING;
        written.put(slot::ENABLED, set(Coalesce::new("")).enabled.map(Value::Flag));
        self.with(&STEM, name, &written)
    }
}

impl Registry {
    /// The coalescing policy `name`, if a function or the configuration knows it.
    #[must_use]
    pub fn coalesce(self, name: &str) -> Option<&'static Coalesce> {
        self.find(name)
    }
}

/// Statistics of a coalescing policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CoalesceSnapshot {
    /// Name of the policy.
    pub name: &'static str,
    /// Whether it does anything.
    pub enabled: bool,
    /// Flights under way now.
    pub in_flight: u64,
    /// Calls that wait for a flight now.
    pub waiting: u64,
    /// Calls that led a flight, and ran.
    pub flights: u64,
    /// Calls that found a flight to wait for; some lead it later, and are among `flights` too.
    pub joined: u64,
    /// Flights whose leader went, and left them to one that waited.
    pub handed_over: u64,
    /// Calls that ran by themselves.
    ///
    /// It was switched off, or they might have waited for their own caller.
    pub alone: u64,
    /// Calls whose deadline passed while they waited.
    pub timed_out: u64,
}

/// What a call of an annotated function asks for: before its arguments are moved into the body.
#[inline]
pub fn seat<K: key::Key>(
    function: &'static Function,
    layer: &'static LayerSite<Coalesce>,
    site: Site,
    key: &K,
) -> Seat<'static, K::Kept> {
    layer.policy(function).shared().seat(site, key)
}

/// The layer of an annotated function.
#[inline]
pub fn coalesce<K, F, C, S>(seat: Seat<'static, K>, inner: F, _: C, _: S) -> Coalesced<'static, K, F, C, S> {
    Coalesced::new(seat, inner)
}

//! How long the calls of a function take, by how they ended.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use hdrhistogram::{Counter, Histogram};
use resilient_settings::nanos;

use super::{CallOutcome, LATENCY, Station, Stations};
use crate::registry::Registry;
use crate::tally;

const MILLIS: [u64; 14] = [5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000];
const BOUNDS: [Duration; MILLIS.len()] = {
    let mut bounds = [Duration::ZERO; MILLIS.len()];
    let mut at = 0;
    while at < bounds.len() {
        bounds[at] = Duration::from_millis(MILLIS[at]);
        at += 1;
    }
    bounds
};

/// Two significant digits.
const DIGITS: u8 = 2;

/// In microseconds. What takes longer is counted as that, which bounds the memory.
const LONGEST: u64 = 60 * 60 * 1_000_000;

/// So few that memory is bounded, so many that threads seldom meet.
const STRIPES: usize = 8;

/// How long the calls of one function took, by how they ended.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{CallOutcome, Fault, configure, registry, timeout};
///
/// mod shop {
/// # use super::*;
///     #[timeout("2s")]
///     pub async fn quote() -> Result<u32, Fault<()>> {
///         tokio::time::sleep(Duration::from_millis(30)).await;
///         Ok(42)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// configure().latency(true).install().unwrap();
/// shop::quote().await.unwrap();
/// let took = registry().latencies().into_iter().find(|it| it.function.ends_with("shop::quote")).unwrap();
/// assert_eq!(took.of(CallOutcome::Ok).at_most(Duration::from_millis(50)), 1);
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LatencySnapshot {
    /// Path of the function.
    pub function: &'static str,
    outcomes: [Latency; CallOutcome::ALL.len()],
}

impl LatencySnapshot {
    /// Bounds up to which calls are counted exactly: 5 ms to 10 s.
    pub const BOUNDS: [Duration; MILLIS.len()] = BOUNDS;

    /// The calls that ended so.
    #[must_use]
    pub fn of(&self, outcome: CallOutcome) -> &Latency {
        &self.outcomes[outcome as usize]
    }

    /// All calls, however they ended.
    #[must_use]
    pub fn all(&self) -> Latency {
        let mut all = Latency::default();
        self.outcomes.iter().for_each(|outcome| all.0.add(&outcome.0));
        all
    }
}

/// How long some calls took.
#[derive(Clone, Default)]
pub struct Latency(Sheet<u64>);

impl Latency {
    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.counts.iter().sum()
    }

    /// Time they took together.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        Duration::from_nanos(self.0.sum)
    }

    /// Time that the share `q` of them took at most; nothing without calls.
    ///
    /// `q` is from 0 to 1: 0.99 is the 99th percentile, 1 the longest. It is told to two digits, and as an hour
    /// where it is more.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let histogram = self.0.histogram.as_ref().filter(|histogram| !histogram.is_empty())?;
        let q = if q > 0.0 { q } else { 0.0 };
        Some(Duration::from_micros(histogram.value_at_quantile(q)))
    }

    /// How many took at most this long.
    ///
    /// Exact for the [bounds](LatencySnapshot::BOUNDS), and within two digits for any other. What took longer
    /// than an hour counts as an hour.
    #[must_use]
    pub fn at_most(&self, time: Duration) -> u64 {
        if let Ok(bound) = BOUNDS.binary_search(&time) {
            return self.0.counts[..=bound].iter().sum();
        }
        let Some(histogram) = &self.0.histogram else { return 0 };
        histogram.count_between(0, micros(time))
    }
}

impl fmt::Debug for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p99) = (self.quantile(0.5), self.quantile(0.99));
        f.debug_struct("Latency").field("count", &self.count()).field("p50", &p50).field("p99", &p99).finish()
    }
}

impl Registry {
    /// How long the calls of the function at this path took, if measured.
    ///
    /// [`Configure::latency`](crate::Configure::latency) switches it on.
    #[must_use]
    pub fn latency(self, function: &str) -> Option<LatencySnapshot> {
        self.latencies().into_iter().find(|latency| latency.function == function)
    }

    /// How long the calls of all measured functions took, ordered by their paths.
    #[must_use]
    pub fn latencies(self) -> Vec<LatencySnapshot> {
        self.0.stations.all().into_iter().filter_map(Station::snapshot).collect()
    }
}

impl Stations {
    fn all(&self) -> Vec<&'static Station> {
        let stations = self.0.read().unwrap_or_else(PoisonError::into_inner);
        stations.stations.values().copied().collect()
    }
}

impl Station {
    pub(super) fn latency(&self) -> &Sheets {
        self.latency.get_or_init(Box::default)
    }

    fn snapshot(&self) -> Option<LatencySnapshot> {
        let outcomes = || self.latency.get().map(|sheets| sheets.outcomes()).unwrap_or_default();
        self.watches(LATENCY).then(|| LatencySnapshot { function: self.path, outcomes: outcomes() })
    }
}

/// The latencies of one function, in stripes for threads that call it at once.
#[derive(Default)]
pub(super) struct Sheets([Stripe; STRIPES]);

#[derive(Default)]
#[repr(align(128))]
struct Stripe(Mutex<[Sheet<u32>; CallOutcome::ALL.len()]>);

impl Sheets {
    pub(super) fn enter(&self, outcome: CallOutcome, took: Duration) {
        self.free()[outcome as usize].enter(took);
    }

    /// The stripe of this thread, or the next one that nobody else is at.
    fn free(&self) -> MutexGuard<'_, [Sheet<u32>; CallOutcome::ALL.len()]> {
        let own = tally::lane();
        for nth in 0..STRIPES {
            match self.0[(own + nth) % STRIPES].0.try_lock() {
                Ok(stripe) => return stripe,
                Err(TryLockError::Poisoned(stripe)) => return stripe.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.0[own % STRIPES].0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outcomes(&self) -> [Latency; CallOutcome::ALL.len()] {
        let mut outcomes: [Latency; CallOutcome::ALL.len()] = Default::default();
        for stripe in &self.0 {
            let stripe = stripe.0.lock().unwrap_or_else(PoisonError::into_inner);
            for (all, sheet) in outcomes.iter_mut().zip(stripe.iter()) {
                all.0.add(sheet);
            }
        }
        outcomes
    }
}

/// Calls by their time.
#[derive(Clone)]
struct Sheet<N: Counter> {
    /// Made for the first call, as most functions end in few ways.
    histogram: Option<Histogram<N>>,
    /// Up to each bound from the one before, and beyond the last.
    counts: [u64; BOUNDS.len() + 1],
    /// In nanoseconds.
    sum: u64,
}

impl<N: Counter> Default for Sheet<N> {
    fn default() -> Self {
        Self { histogram: None, counts: [0; BOUNDS.len() + 1], sum: 0 }
    }
}

impl<N: Counter> Sheet<N> {
    /// Fails for digits only that there cannot be.
    fn histogram(&mut self) -> Option<&mut Histogram<N>> {
        if self.histogram.is_none() {
            self.histogram = Histogram::new(DIGITS).ok();
        }
        self.histogram.as_mut()
    }

    fn enter(&mut self, took: Duration) {
        self.counts[BOUNDS.partition_point(|bound| *bound < took)] += 1;
        self.sum = self.sum.saturating_add(nanos(took));
        if let Some(histogram) = self.histogram() {
            // It grows with what it is told, and could refuse only what is longer than any call here.
            let _ = histogram.record(micros(took));
        }
    }
}

impl Sheet<u64> {
    fn add<N: Counter>(&mut self, other: &Sheet<N>) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.sum = self.sum.saturating_add(other.sum);
        if let (Some(more), Some(histogram)) = (&other.histogram, self.histogram()) {
            for value in more.iter_recorded() {
                let _ = histogram.record_n(value.value_iterated_to(), value.count_at_value().as_u64());
            }
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).min(LONGEST)
}

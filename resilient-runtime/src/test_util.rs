//! For tests: events to assert on and jitter that repeats.
//!
//! With the feature `test-util` each tokio runtime has its own registry, so tests that share a
//! process share no state: every `#[tokio::test]` starts with fresh policies, spawned tasks
//! included, configured by what was installed outside of any runtime.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::events::{Bus, Event, EventKind};
use crate::registry::registry;

/// The events of one test, in order, none lost.
#[derive(Debug)]
pub struct Recorder {
    tape: Arc<Tape>,
    bus: &'static Bus,
}

pub(crate) type Tape = Mutex<Vec<Event>>;

/// Records the events of the current runtime's policies from now on.
///
/// ```
/// use resilient_runtime::{Fault, test_util, timeout};
///
/// #[timeout("2s", name = "quotes")]
/// async fn quote() -> Result<(), Fault<()>> {
///     std::future::pending().await
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let events = test_util::record();
/// quote().await.unwrap_err();
/// assert_eq!(events.words("quotes"), ["timed_out"]);
/// # }
/// ```
#[must_use]
pub fn record() -> Recorder {
    let bus = &registry().0.bus;
    let tape = Arc::new(Mutex::new(Vec::new()));
    bus.recorders.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&tape));
    bus.listen();
    Recorder { tape, bus }
}

impl Recorder {
    /// Everything recorded so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What happened to the policies called `policy`.
    #[must_use]
    pub fn kinds(&self, policy: &str) -> Vec<EventKind> {
        self.events().into_iter().filter(|event| event.policy == policy).map(|event| event.kind).collect()
    }

    /// The same in one word each.
    #[must_use]
    pub fn words(&self, policy: &str) -> Vec<&'static str> {
        self.kinds(policy).iter().map(EventKind::as_str).collect()
    }

    /// Forgets what was recorded so far.
    pub fn clear(&self) {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.bus.unlisten();
    }
}

/// Makes the jitter of this runtime's policies repeat.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Retry, test_util};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let mut waits = Vec::new();
/// for _ in 0..2 {
///     test_util::seed(7);
///     let start = tokio::time::Instant::now();
///     Retry::new().max(3).run(|| async { Err::<(), _>("busy") }).await.unwrap_err();
///     waits.push(start.elapsed());
/// }
/// assert_eq!(waits[0], waits[1]);
/// # }
/// ```
pub fn seed(seed: u64) {
    *generator() = Some(StdRng::seed_from_u64(seed));
}

/// The next number of a seeded generator, if this runtime has one.
pub(crate) fn seeded() -> Option<f64> {
    generator().as_mut().map(RngExt::random)
}

fn generator() -> MutexGuard<'static, Option<StdRng>> {
    registry().0.generator.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn record_on(bus: &Bus, event: &Event) {
    let mut recorders = bus.recorders.lock().unwrap_or_else(PoisonError::into_inner);
    recorders.retain(|recorder| match recorder.upgrade() {
        Some(tape) => {
            tape.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
            true
        }
        None => false,
    });
}

//! Stops calling what keeps failing.
//!
//! A call is refused while the breaker is open, and while it is half-open and enough probes
//! are under way. A call that is dropped counts as abandoned: as nothing, or as a failure if so
//! configured, and a probe gives its place back.

#[cfg(test)]
mod arrows;
mod engine;
mod fast;
mod guard;
#[cfg(test)]
mod heeding;
#[cfg(test)]
mod histories;
mod history;
#[cfg(test)]
mod interventions;
mod keyed;
mod last_error;
mod limits;
#[cfg(test)]
mod model;
mod pass;
mod phase;
mod probes;
#[cfg(test)]
mod pure;
mod settings;
#[cfg(test)]
mod shortcuts;
mod snapshot;
mod state;
mod ticket;
mod transition;
#[cfg(all(test, feature = "test-util", not(resilient_loom)))]
mod whole;
mod window;
mod word;

use std::future::Future;
use std::sync::{Arc, OnceLock};

use resilient_settings::Written;

pub use self::guard::{CircuitPermit, circuit_breaker, circuit_breaker_when};
pub use self::history::CircuitChange;
pub use self::snapshot::CircuitBreakerSnapshot;
#[cfg(feature = "health")]
pub(crate) use self::state::heed::{News, Says};
pub use self::transition::{CircuitCause, CircuitState};
pub use self::window::CircuitWindow;

use self::engine::Engine;
use self::keyed::Keys;
use self::limits::Limits;
use self::ticket::Outcome;
use self::transition::Control;
use super::{Policy, Snapshot, Stem};
use crate::configure::Configure;
use crate::error::Rejected;
use crate::function::Function;
#[cfg(feature = "health")]
use crate::health::{self, Readiness};
use crate::level::ByHand;
use crate::outcome::{ByClassify, Class, Classify};
use crate::record::LayerSite;
use crate::registry::Registry;
use crate::sync;
use crate::tally::Since;

const NAME: &str = "circuit_breaker";

pub(crate) static STEM: Stem = Stem {
    table: &resilient_settings::stem::circuit_breaker::TABLE,
    limit: |_| None,
    least_waits: |_| None,
    create: |name, written| {
        Box::leak(Box::new(CircuitBreaker {
            written: *written,
            #[cfg(feature = "health")]
            by_hand: false,
            ..CircuitBreaker::new(name)
        }))
    },
};

/// How a call ended, as far as the dependency is concerned.
#[derive(Clone, Copy, Debug)]
pub enum Verdict {
    Success,
    Failure(Option<Class>),
    Ignored,
    Abandoned,
    Panicked,
}

impl Verdict {
    const fn outcome(self) -> Outcome {
        match self {
            Self::Success => Outcome::Success,
            Self::Failure(_) => Outcome::Failure,
            Self::Ignored => Outcome::Ignored,
            Self::Abandoned => Outcome::Abandoned,
            Self::Panicked => Outcome::Panicked,
        }
    }
}

/// Stops calling what keeps failing, and tries again after a while.
///
/// ```
/// use resilient_runtime::{CircuitBreaker, CircuitState};
///
/// static PAYMENTS: CircuitBreaker = CircuitBreaker::new("payments").failure_threshold(2);
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let down = || async { Err::<(), _>(std::io::Error::from(std::io::ErrorKind::ConnectionRefused)) };
/// for _ in 0..2 {
///     PAYMENTS.call(down()).await.unwrap_err();
/// }
/// assert_eq!(PAYMENTS.state(), CircuitState::Open);
/// # }
/// ```
#[derive(Debug)]
pub struct CircuitBreaker {
    name: &'static str,
    written: Written,
    /// Whether the registry does not know it.
    #[cfg(feature = "health")]
    by_hand: bool,
    engine: OnceLock<Engine>,
    keys: OnceLock<Box<Keys>>,
}

impl CircuitBreaker {
    /// A breaker of its own, which shares its name in errors and events only.
    ///
    /// The setters take effect before the first call.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            written: Written::NOTHING,
            #[cfg(feature = "health")]
            by_hand: true,
            engine: OnceLock::new(),
            keys: OnceLock::new(),
        }
    }

    /// Runs `future` unless the breaker refuses, and counts how it ends.
    ///
    /// It asks to pass when it is first polled; a refused future is never polled.
    ///
    /// # Errors
    ///
    /// [`Rejected::CircuitOpen`], converted into `E`, when the breaker refuses; otherwise
    /// whatever `future` returned.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call counts as abandoned, and gives back the place of a probe.
    pub fn call<F, T, E>(&self, future: F) -> impl Future<Output = Result<T, E>> + use<'_, F, T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: From<Rejected> + Classify,
    {
        ByHand { layer: guard::circuit_breaker(self.engine(), future, ByClassify) }
    }

    /// Asks to make one call, whose outcome the permit reports.
    ///
    /// # Errors
    ///
    /// [`Rejected::CircuitOpen`] when the breaker refuses.
    pub fn acquire(&self) -> Result<CircuitPermit<'_>, Rejected> {
        CircuitPermit::acquire(self.engine())
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it is doing now, though nobody called since something was due.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        self.engine().report().0.state
    }

    /// What the breaker of one key is doing now, if the key is known.
    #[must_use]
    pub fn state_of(&self, key: &str) -> Option<CircuitState> {
        Some(self.keys.get()?.find(key)?.report().0.state)
    }

    /// Closes it, forgets everything and ends what was done by hand.
    pub fn reset(&self) {
        self.control(Control::Reset);
    }

    /// Refuses everything until it is resumed.
    pub fn force_open(&self) {
        self.control(Control::ForceOpen);
    }

    /// Lets everything through and counts nothing until it is resumed.
    pub fn disable(&self) {
        self.control(Control::Disable);
    }

    /// Lets everything through and counts what it would have refused, until it is resumed.
    pub fn observe(&self) {
        self.control(Control::Observe);
    }

    /// Ends what was done by hand: it is closed, and counts and refuses again.
    ///
    /// It starts afresh, but for a breaker that only observed and would have been closed: that
    /// one keeps what it has learned. A breaker that nobody touched stays as it is.
    pub fn resume(&self) {
        self.control(Control::Resume);
    }

    fn control(&self, control: Control) {
        self.engine().control(control);
        if let Some(keys) = self.keys.get() {
            keys.for_each(|engine| engine.control(control));
        }
    }

    #[inline]
    fn engine(&self) -> &Engine {
        match self.engine.get() {
            Some(engine) => engine,
            None => self.start(),
        }
    }

    #[cold]
    fn start(&self) -> &Engine {
        #[cfg(feature = "health")]
        if self.by_hand {
            use resilient_settings::stem::circuit_breaker as slot;
            health::warn_unless_known(&STEM, self.name, &self.written, &[slot::HEALTH, slot::READINESS]);
        }
        self.engine.get_or_init(|| Engine::new(self.name, None, Arc::new(Limits::new(&self.written)), None))
    }

    fn keyed(&self, key: &str) -> sync::Arc<Engine> {
        let keys = self.keys.get_or_init(|| Box::new(Keys::new()));
        keys.get(key, self.engine())
    }
}

impl Policy for CircuitBreaker {
    fn apply(&self, written: &Written) {
        let limits = Arc::new(Limits::new(written));
        self.engine().reconfigure(Arc::clone(&limits));
        if let Some(keys) = self.keys.get() {
            keys.reconfigure(&limits);
        }
    }

    fn announce(&self) {
        self.engine().announce();
        if let Some(keys) = self.keys.get() {
            keys.for_each(Engine::announce);
        }
    }

    #[cfg(feature = "health")]
    fn heed(&self, of: &dyn Fn(Option<&str>) -> News) {
        let engine = self.engine();
        let check = engine.limits().health;
        if check.is_none() && !engine.heeds() {
            return;
        }
        let news = of(check);
        engine.heed(news);
        if let Some(keys) = self.keys.get() {
            keys.for_each(|engine| engine.heed(news));
        }
    }

    #[cfg(feature = "health")]
    fn refuses(&self) -> bool {
        matches!(self.state(), CircuitState::Open | CircuitState::ForcedOpen)
    }

    #[cfg(feature = "health")]
    fn readiness(&self) -> Readiness {
        self.engine().limits().readiness
    }

    fn snapshot(&self, count: Since) -> Snapshot {
        Snapshot::CircuitBreaker(self.count(count))
    }

    fn reset(&self) {
        self.reset();
    }
}

impl Registry {
    /// The circuit breaker `name`, if a function or the configuration knows it.
    #[must_use]
    pub fn circuit_breaker(self, name: &str) -> Option<&'static CircuitBreaker> {
        self.find(name)
    }
}

impl Configure {
    /// Sets keys of the circuit breaker `name`.
    #[track_caller]
    pub fn circuit_breaker(self, name: &str, set: impl FnOnce(CircuitBreaker) -> CircuitBreaker) -> Self {
        self.with(&STEM, name, &set(CircuitBreaker::new("")).written)
    }
}

/// The breaker of an annotated function.
#[inline]
#[must_use]
pub fn breaker(function: &'static Function, layer: &'static LayerSite<CircuitBreaker>) -> &'static Engine {
    layer.policy(function).engine()
}

/// The breaker of one key of an annotated function.
#[inline]
#[must_use]
pub fn breaker_for(
    function: &'static Function,
    layer: &'static LayerSite<CircuitBreaker>,
    key: impl AsRef<str>,
) -> sync::Arc<Engine> {
    layer.policy(function).keyed(key.as_ref())
}

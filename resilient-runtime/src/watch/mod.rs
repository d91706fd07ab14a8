//! Guarded functions seen from outside: a span for each call, and how long calls take.

mod call;
#[cfg(feature = "latency")]
mod latency;
mod settings;
mod watching;

use std::collections::BTreeMap;
#[cfg(feature = "latency")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock};

#[cfg(feature = "trace")]
pub use self::call::watch_attempt;
pub use self::call::{station, watch};
#[cfg(feature = "latency")]
pub use self::latency::{Latency, LatencySnapshot};
pub(crate) use self::settings::Settings;
use crate::error::Rejected;
use crate::outcome::Cause;
use crate::record::functions;

/// How a call of a guarded function ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallOutcome {
    /// With `Ok`, a fallback's answer included.
    Ok,
    /// With an error of the function's own.
    Error,
    /// A policy refused it.
    Rejected,
    /// A timeout gave it up.
    TimedOut,
    /// Its future was dropped.
    Abandoned,
    /// It panicked.
    Panicked,
}

impl CallOutcome {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Ok, Self::Error, Self::Rejected, Self::TimedOut, Self::Abandoned, Self::Panicked];

    /// The outcome in one word, for metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Rejected => "rejected",
            Self::TimedOut => "timed_out",
            Self::Abandoned => "abandoned",
            Self::Panicked => "panicked",
        }
    }
}

/// How a call ended, and the class of its error.
#[derive(Clone, Copy)]
struct Ending {
    outcome: CallOutcome,
    #[cfg_attr(not(feature = "trace"), expect(dead_code, reason = "a span tells it"))]
    error: Option<&'static str>,
}

impl Ending {
    fn of(cause: Option<&Cause>) -> Self {
        let (outcome, error) = match cause {
            None => return Self { outcome: CallOutcome::Ok, error: None },
            Some(Cause::Class(class)) => (CallOutcome::Error, class.as_str()),
            Some(Cause::Rejected(rejected @ Rejected::TimedOut { .. })) => {
                (CallOutcome::TimedOut, rejected.as_str())
            }
            Some(Cause::Rejected(rejected)) => (CallOutcome::Rejected, rejected.as_str()),
        };
        Self { outcome, error: Some(error) }
    }

    const fn cut_short(panicked: bool) -> Self {
        if panicked {
            Self { outcome: CallOutcome::Panicked, error: Some("panic") }
        } else {
            Self { outcome: CallOutcome::Abandoned, error: None }
        }
    }
}

const SPANS: u8 = 1;
const LATENCY: u8 = 2;

/// Where the calls of one function are watched.
pub struct Station {
    path: &'static str,
    watched: AtomicU8,
    #[cfg(feature = "latency")]
    latency: OnceLock<Box<latency::Sheets>>,
}

impl Station {
    fn leaked(path: &'static str, settings: &Settings) -> &'static Self {
        let station = Box::new(Self {
            path,
            watched: AtomicU8::new(0),
            #[cfg(feature = "latency")]
            latency: OnceLock::new(),
        });
        station.apply(settings);
        Box::leak(station)
    }

    fn apply(&self, settings: &Settings) {
        self.watched.store(settings.watched(self.path), Relaxed);
    }

    #[inline]
    fn watches(&self, what: u8) -> bool {
        self.watched.load(Relaxed) & what != 0
    }
}

impl std::fmt::Debug for Station {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Station").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The stations of one registry, by the paths of functions; they live as long as the program.
#[derive(Default)]
pub(crate) struct Stations(RwLock<Known>);

#[derive(Default)]
struct Known {
    settings: Settings,
    stations: BTreeMap<&'static str, &'static Station>,
}

impl Stations {
    pub(crate) fn of(&self, path: &'static str) -> &'static Station {
        if let Some(station) = self.find(path) {
            return station;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Known { settings, stations } = &mut *known;
        stations.entry(path).or_insert_with(|| Station::leaked(path, settings))
    }

    fn find(&self, path: &str) -> Option<&'static Station> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).stations.get(path).copied()
    }

    pub(crate) fn apply(&self, settings: &Settings) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.settings = settings.clone();
        // Those to be measured are reported before their first call.
        for function in functions().iter().filter(|function| settings.watched(function.path()) & LATENCY != 0)
        {
            known
                .stations
                .entry(function.path())
                .or_insert_with(|| Station::leaked(function.path(), settings));
        }
        known.stations.values().for_each(|station| station.apply(settings));
    }
}

//! What is kept of a call while it is watched.

#[cfg(feature = "trace")]
use tracing::{Span, field::Empty};

use super::{Ending, LATENCY, SPANS, Station};
#[cfg(feature = "latency")]
use crate::clock::{self, Tick};

/// What one call or attempt keeps, small while nobody watches.
#[derive(Debug, Default)]
pub struct Watching {
    #[cfg(feature = "trace")]
    span: Option<Box<Span>>,
    /// Zero, if that is not measured.
    #[cfg(feature = "latency")]
    since: Tick,
}

impl Watching {
    /// Begins, and says whether anybody wants to know.
    pub(super) fn call(&mut self, station: &'static Station) -> bool {
        let watched = station.watches(SPANS | LATENCY);
        if watched {
            #[cfg(feature = "trace")]
            self.open(station, || call_span(station.path));
            #[cfg(feature = "latency")]
            self.start(station);
        }
        watched
    }

    #[cfg(feature = "trace")]
    pub(super) fn attempt(&mut self, station: &'static Station) -> bool {
        self.open(station, attempt_span);
        self.span.is_some()
    }

    #[cfg(feature = "trace")]
    fn open(&mut self, station: &'static Station, span: impl FnOnce() -> Span) {
        self.span = station.watches(SPANS).then(|| Box::new(span()));
    }

    #[cfg(feature = "latency")]
    fn start(&mut self, station: &'static Station) {
        if station.watches(LATENCY) {
            self.since = clock::tick();
        }
    }

    /// Runs a part of it.
    #[cfg_attr(not(feature = "trace"), expect(clippy::unused_self, reason = "there is no span to enter"))]
    pub(super) fn within<R>(&self, part: impl FnOnce() -> R) -> R {
        #[cfg(feature = "trace")]
        let _entered = self.span.as_ref().map(|span| span.enter());
        part()
    }

    pub(super) fn end(&mut self, station: &Station, ending: Ending) {
        #[cfg(feature = "latency")]
        if self.since != Tick::ZERO {
            station.latency().enter(ending.outcome, clock::tick().since(self.since));
        }
        #[cfg(feature = "trace")]
        if let Some(span) = self.span.take() {
            tell(&span, ending);
        }
        #[cfg(not(feature = "latency"))]
        let _ = station;
    }
}

#[cfg(feature = "trace")]
fn call_span(path: &'static str) -> Span {
    tracing::info_span!(
        target: "resilient",
        "resilient.call",
        "otel.name" = path,
        "resilience.function" = path,
        "resilience.outcome" = Empty,
        "error.type" = Empty,
        "otel.status_code" = Empty,
    )
}

/// The first attempt has no number, as a request that is sent once has no count of resends.
#[cfg(feature = "trace")]
fn attempt_span() -> Span {
    let number = crate::frame::attempt();
    tracing::info_span!(
        target: "resilient",
        "resilient.attempt",
        "resilience.attempt" = (number > 1).then_some(number),
        "resilience.outcome" = Empty,
        "error.type" = Empty,
        "otel.status_code" = Empty,
    )
}

#[cfg(feature = "trace")]
fn tell(span: &Span, ending: Ending) {
    span.record("resilience.outcome", ending.outcome.as_str());
    if let Some(error) = ending.error {
        span.record("error.type", error);
        span.record("otel.status_code", "ERROR");
    }
}

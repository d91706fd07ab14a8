//! What is kept of a call while it is watched.

#[cfg(feature = "trace")]
use tracing::{Span, field::Empty};

use super::{Ending, LATENCY, SPANS, Station};
#[cfg(feature = "latency")]
use crate::clock::{self, Tick};

/// One call or attempt.
#[derive(Debug)]
pub struct Watching {
    #[cfg(feature = "trace")]
    span: Span,
    #[cfg(feature = "latency")]
    since: Option<Tick>,
}

impl Watching {
    pub(super) fn call(station: &'static Station) -> Option<Self> {
        if !station.watches(SPANS | LATENCY) {
            return None;
        }
        Some(Self {
            #[cfg(feature = "trace")]
            span: if station.watches(SPANS) { call_span(station.path) } else { Span::none() },
            #[cfg(feature = "latency")]
            since: station.watches(LATENCY).then(clock::tick),
        })
    }

    #[cfg(feature = "trace")]
    pub(super) fn attempt(station: &'static Station) -> Option<Self> {
        station.watches(SPANS).then(|| Self {
            span: attempt_span(),
            #[cfg(feature = "latency")]
            since: None,
        })
    }

    /// Runs a part of it.
    #[cfg_attr(not(feature = "trace"), expect(clippy::unused_self, reason = "there is no span to enter"))]
    pub(super) fn within<R>(&self, part: impl FnOnce() -> R) -> R {
        #[cfg(feature = "trace")]
        let _entered = self.span.enter();
        part()
    }

    /// The span is closed when this is dropped.
    pub(super) fn end(self, station: &Station, ending: Ending) {
        #[cfg(feature = "latency")]
        if let Some(since) = self.since {
            station.latency().enter(ending.outcome, clock::tick().since(since));
        }
        #[cfg(feature = "trace")]
        tell(&self.span, ending);
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

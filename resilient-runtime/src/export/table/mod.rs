//! Names, units and labels of all figures, and where each is read.

mod answers;
mod attempts;
mod breaker;
#[cfg(feature = "health")]
mod checks;
mod limits;
mod program;

use std::time::Duration;

use super::{Kind, Sample, Unit, Value};
use crate::policy::Snapshot;
use crate::registry::{Registry, World};
#[cfg(feature = "otel")]
use crate::tally::Tally;

/// One family, and where its values come from.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: Kind,
    pub(super) unit: Unit,
    source: Source,
}

/// Where values come from.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// The policies of the kind that stands first in the family's name.
    Kind(fn(&Snapshot, &mut Samples)),
    /// All policies.
    Policies(fn(&Snapshot, &mut Samples)),
    /// What else there is.
    World(fn(&'static World, &mut Samples)),
}

impl Row {
    const fn new(kind: Kind, name: &'static str, help: &'static str, source: Source) -> Self {
        Self { name, help, kind, unit: Unit::Count, source }
    }

    /// Reads the policies that it needs, and no others.
    #[cfg(feature = "otel")]
    pub(super) fn read(&self, registry: Registry) -> Vec<Sample> {
        let snapshots = match self.source {
            Source::Kind(_) => {
                registry.count_of(self.name.split('.').next().unwrap_or(self.name), Tally::sum)
            }
            Source::Policies(_) => registry.count(Tally::sum),
            Source::World(_) => Vec::new(),
        };
        self.read_from(registry, &snapshots)
    }

    /// Reads what was read of all policies, and what else there is.
    pub(super) fn read_from(&self, registry: Registry, snapshots: &[Snapshot]) -> Vec<Sample> {
        let mut samples = Samples { policy: None, all: Vec::new() };
        match self.source {
            Source::Kind(fill) | Source::Policies(fill) => {
                for snapshot in snapshots {
                    samples.policy = Some(snapshot.name());
                    fill(snapshot, &mut samples);
                }
            }
            Source::World(fill) => fill(registry.0, &mut samples),
        }
        samples.all
    }

    const fn seconds(self) -> Self {
        Self { unit: Unit::Seconds, ..self }
    }

    const fn ratio(self) -> Self {
        Self { unit: Unit::Ratio, ..self }
    }
}

const fn counter(name: &'static str, help: &'static str, fill: fn(&Snapshot, &mut Samples)) -> Row {
    Row::new(Kind::Counter, name, help, Source::Kind(fill))
}

const fn gauge(name: &'static str, help: &'static str, fill: fn(&Snapshot, &mut Samples)) -> Row {
    Row::new(Kind::Gauge, name, help, Source::Kind(fill))
}

pub(super) struct Samples {
    policy: Option<&'static str>,
    all: Vec<Sample>,
}

impl Samples {
    fn put(&mut self, value: impl Into<Value>) {
        self.put_as(&[], value);
    }

    fn put_as(&mut self, labels: &[(&'static str, &'static str)], value: impl Into<Value>) {
        let name = self.policy.map(|name| ("name", name));
        let labels = name.into_iter().chain(labels.iter().copied()).collect();
        self.all.push(Sample { labels, value: value.into() });
    }

    fn put_each<const N: usize>(&mut self, label: &'static str, values: [(&'static str, u64); N]) {
        for (word, value) in values {
            self.put_as(&[(label, word)], value);
        }
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Whole(value.into())
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Whole(value as u64)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Whole(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<Duration> for Value {
    fn from(value: Duration) -> Self {
        Self::Real(value.as_secs_f64())
    }
}

/// Reads the snapshots of one kind of policy.
macro_rules! of {
    ($kind:ident, |$snapshot:ident, $out:ident| $fill:expr) => {
        |snapshot, $out| {
            if let Snapshot::$kind($snapshot) = snapshot {
                $fill;
            }
        }
    };
}
use of;

/// Every family there is.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().copied().flatten()
}

static ROWS: &[&[Row]] = &[
    attempts::BUDGET,
    limits::BULKHEAD,
    #[cfg(feature = "cache")]
    answers::CACHE,
    breaker::CIRCUIT_BREAKER,
    answers::COALESCE,
    attempts::FALLBACK,
    attempts::HEDGE,
    limits::LOAD_SHED,
    limits::RATE_LIMIT,
    attempts::RETRY,
    limits::TIMEOUT,
    program::CONFIG,
    #[cfg(feature = "health")]
    checks::HEALTH_CHECK,
    program::POLICY,
];

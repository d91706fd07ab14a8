//! Names, units and labels of all figures, and where each is read.

mod answers;
mod attempts;
mod breaker;
mod limits;

use std::time::Duration;

use super::{Kind, Sample, Unit, Value};
use crate::policy::Snapshot;

/// One family, and how a policy fills it.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) kind: Kind,
    pub(super) unit: Unit,
    fill: fn(&Snapshot, &mut Samples),
}

impl Row {
    /// Kind of the policies that fill it.
    #[cfg(feature = "otel")]
    pub(super) fn stem(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }

    pub(super) fn read(&self, snapshots: &[Snapshot]) -> Vec<Sample> {
        let mut samples = Samples { policy: "", all: Vec::new() };
        for snapshot in snapshots {
            samples.policy = snapshot.name();
            (self.fill)(snapshot, &mut samples);
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
    Row { name, help, kind: Kind::Counter, unit: Unit::Count, fill }
}

const fn gauge(name: &'static str, help: &'static str, fill: fn(&Snapshot, &mut Samples)) -> Row {
    Row { name, help, kind: Kind::Gauge, unit: Unit::Count, fill }
}

pub(super) struct Samples {
    policy: &'static str,
    all: Vec<Sample>,
}

impl Samples {
    fn put(&mut self, value: impl Into<Value>) {
        self.put_as(&[], value);
    }

    fn put_as(&mut self, labels: &[(&'static str, &'static str)], value: impl Into<Value>) {
        let labels = [&[("name", self.policy)], labels].concat();
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
];

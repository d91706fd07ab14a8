//! What was written, as numbers that make sense.

use std::time::Duration;

use resilient_settings::Written;
use resilient_settings::stem::{MODES, load_shed as slot};

/// What a load shedder goes by, and whether it refuses anything.
///
/// These are two choices behind one key: to observe changes nothing of what it goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ShedMode {
    /// How many calls may be under way, learned from how long they take.
    #[default]
    Concurrency,
    /// How many of the last calls the dependency accepted.
    Throttle,
    /// It refuses calls, as it does unless told otherwise.
    Enforce,
    /// It refuses none, and counts and reports those that it would have refused.
    Observe,
}

impl ShedMode {
    /// The word that `#[load_shed(mode = …)]` takes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Concurrency => slot::MODES[0],
            Self::Throttle => slot::MODES[1],
            Self::Enforce => MODES[0],
            Self::Observe => MODES[1],
        }
    }
}

/// How the limit of a load shedder moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ShedAlgorithm {
    /// Down in proportion as calls take longer, up by its root.
    #[default]
    Gradient,
    /// Down by a tenth, and up by one.
    Aimd,
}

impl ShedAlgorithm {
    /// The word that `#[load_shed(algorithm = …)]` takes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gradient => slot::ALGORITHMS[0],
            Self::Aimd => slot::ALGORITHMS[1],
        }
    }
}

/// How the limit is learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    pub(super) algorithm: ShedAlgorithm,
    pub(super) initial: u32,
    pub(super) min: u32,
    pub(super) max: u32,
    pub(super) queue_time: Option<Duration>,
    pub(super) window: Duration,
}

/// Where each priority is refused, as shares of the limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Levels {
    pub(super) optional: f64,
    pub(super) normal: f64,
    /// Half of the important ones; the others at the limit itself.
    pub(super) important: f64,
    pub(super) critical: f64,
}

/// When calls are refused by what became of others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ratio {
    pub(super) k: f64,
    pub(super) window: Duration,
    pub(super) min_calls: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) mode: ShedMode,
    pub(super) limits: Limits,
    pub(super) levels: Levels,
    pub(super) ratio: Ratio,
}

const INITIAL: u32 = 20;
const MIN: u32 = 4;
const MAX: u32 = 1_000;

impl Settings {
    /// The nearest settings that make sense.
    pub(super) fn of(written: &Written) -> Self {
        let count = |key, otherwise: u32| {
            written.count(key).map_or(otherwise, |n| u32::try_from(n).unwrap_or(u32::MAX)).max(1)
        };
        let share = |key, otherwise: f64| {
            written.number(key).filter(|share| *share > 0.0).unwrap_or(otherwise).min(1.0)
        };
        let factor = |key| written.number(key).filter(|n| n.is_finite()).unwrap_or(2.0).max(1.0);
        // What is not written gives way to what is.
        let first = count(slot::INITIAL_LIMIT, INITIAL);
        let (below, above) = match written.count(slot::INITIAL_LIMIT) {
            Some(_) => (MIN.min(first), MAX.max(first)),
            None => (MIN, MAX),
        };
        let min = count(slot::MIN_LIMIT, below.min(count(slot::MAX_LIMIT, MAX)));
        let max = count(slot::MAX_LIMIT, above).max(min);
        let window = written.time(slot::WINDOW);
        let nonzero = |otherwise| window.filter(|time| !time.is_zero()).unwrap_or(otherwise);
        let important = share(slot::IMPORTANT_AT, 0.9);
        let normal = share(slot::NORMAL_AT, 0.8_f64.min(share(slot::IMPORTANT_AT, 1.0)));
        let optional = share(slot::OPTIONAL_AT, 0.6_f64.min(normal));
        let normal = normal.max(optional);
        Self {
            mode: said(written, slot::MODE, [ShedMode::Concurrency, ShedMode::Throttle], ShedMode::as_str),
            limits: Limits {
                algorithm: said(
                    written,
                    slot::ALGORITHM,
                    [ShedAlgorithm::Gradient, ShedAlgorithm::Aimd],
                    ShedAlgorithm::as_str,
                ),
                initial: first.clamp(min, max),
                min,
                max,
                queue_time: written.time(slot::QUEUE_TIME),
                window: nonzero(Duration::from_millis(100)),
            },
            levels: Levels {
                optional,
                normal,
                important: important.max(normal),
                critical: factor(slot::CRITICAL_AT),
            },
            ratio: Ratio {
                k: factor(slot::K),
                window: nonzero(Duration::from_secs(120)),
                min_calls: u64::from(count(slot::MIN_CALLS, 10)),
            },
        }
    }
}

fn said<T: Copy + Default>(written: &Written, key: usize, all: [T; 2], word: fn(T) -> &'static str) -> T {
    all.into_iter().find(|one| written.word(key) == Some(word(*one))).unwrap_or_default()
}

//! What a key stands at that nobody wrote.

use std::time::Duration;

use crate::stem::circuit_breaker::WINDOW_CALLS;
use crate::stem::{MODES, Table};
use crate::{Kind, Rate, Value, Written};

const SECOND: Duration = Duration::from_secs(1);
const NONE: Value = Value::Time(Duration::ZERO);

/// Kinds of policies with their keys, but for those without a default.
const DEFAULTS: &[(&str, &[(&str, Value)])] = &[
    (
        "budget",
        &[("capacity", Value::Count(100)), ("credit", Value::Number(0.2)), ("reserve", Value::Count(10))],
    ),
    ("bulkhead", &[("max_concurrent", Value::Count(25)), ("max_wait", NONE)]),
    (
        "cache",
        &[
            ("ttl", Value::Time(Duration::from_secs(60))),
            ("stale_if_error", NONE),
            ("stale_while_revalidate", NONE),
            ("max_entries", Value::Count(1_000)),
        ],
    ),
    (
        "circuit_breaker",
        &[
            ("reset_timeout", Value::Time(Duration::from_secs(30))),
            ("reset_factor", Value::Number(1.0)),
            ("max_reset_timeout", Value::Time(Duration::from_secs(300))),
            ("half_open_calls", Value::Count(1)),
            ("success_threshold", Value::Count(2)),
            ("ramp", NONE),
            ("abandoned", Value::Word("ignore")),
            ("max_keys", Value::Count(1_000)),
        ],
    ),
    ("fallback", &[("max_entries", Value::Count(1_000))]),
    (
        "health_check",
        &[
            ("critical", Value::Flag(false)),
            ("interval", Value::Time(Duration::from_secs(10))),
            ("timeout", Value::Time(SECOND)),
        ],
    ),
    (
        "hedge",
        &[("after", Value::Number(0.95)), ("max", Value::Count(2)), ("budget", Value::Word("default"))],
    ),
    (
        "load_shed",
        &[
            ("mode", Value::Word("concurrency")),
            ("algorithm", Value::Word("gradient")),
            ("initial_limit", Value::Count(20)),
            ("min_limit", Value::Count(4)),
            ("max_limit", Value::Count(1_000)),
            ("optional_at", Value::Number(0.6)),
            ("normal_at", Value::Number(0.8)),
            ("important_at", Value::Number(0.9)),
            ("critical_at", Value::Number(2.0)),
            ("k", Value::Number(2.0)),
            ("min_calls", Value::Count(10)),
        ],
    ),
    (
        "rate_limit",
        &[
            ("rate", Value::Rate(Rate::per_second(100))),
            ("max_wait", NONE),
            ("max_keys", Value::Count(10_000)),
        ],
    ),
    (
        "resilient",
        &[
            ("on_unknown_policy", Value::Word("error")),
            ("require", Value::Flag(false)),
            ("reload", Value::Word("off")),
        ],
    ),
    (
        "retry",
        &[
            ("max", Value::Count(3)),
            ("backoff", Value::Word("exponential")),
            ("base", Value::Time(Duration::from_millis(100))),
            ("factor", Value::Number(2.0)),
            ("max_delay", Value::Time(Duration::from_secs(10))),
            ("jitter", Value::Word("full")),
            ("budget", Value::Word("default")),
            ("max_retry_after", Value::Time(Duration::from_secs(30))),
            ("nested", Value::Word("share")),
        ],
    ),
];

/// What the key stands at beside what was written, if it stands at anything.
#[must_use]
pub fn default(table: &Table, key: usize, written: &Written) -> Option<Value> {
    let key = table.keys.get(key)?;
    let stands = |other: &str| {
        let other = table.keys.iter().position(|key| key.name == other)?;
        written.get(other).or_else(|| default(table, other, written))
    };
    let says = |other: &str| {
        table.keys.iter().zip(0..).any(|(key, at)| key.name == other && written.get(at).is_some())
    };
    match (table.name, key.name) {
        (_, "enabled") => return Some(Value::Flag(true)),
        (_, "mode") if matches!(key.kind, Kind::Word(MODES)) => return Some(Value::Word(MODES[0])),
        ("circuit_breaker", "failure_threshold") => {
            return (!says("failure_rate")).then_some(Value::Count(5));
        }
        ("circuit_breaker", "window" | "min_calls") if !says("failure_rate") && !says("slow_call") => {
            return None;
        }
        ("circuit_breaker", "window") => return Some(Value::count(WINDOW_CALLS)),
        ("circuit_breaker", "min_calls") => {
            let Some(Value::Count(window)) = stands("window") else { return Some(Value::Count(10)) };
            return Some(Value::Count(window.min(10)));
        }
        ("circuit_breaker", "slow_rate") => return says("slow_call").then_some(Value::Number(0.5)),
        ("circuit_breaker", "half_open_timeout") => return stands("reset_timeout"),
        ("load_shed", "window") => {
            let throttles = stands("mode") == Some(Value::Word("throttle"));
            let window = if throttles { Duration::from_secs(120) } else { Duration::from_millis(100) };
            return Some(Value::Time(window));
        }
        ("rate_limit", "burst") => match stands("rate") {
            Some(Value::Rate(rate)) => return Some(Value::Count(u64::from(rate.permits()))),
            _ => return None,
        },
        _ => {}
    }
    let (_, keys) = DEFAULTS.iter().find(|(stem, _)| *stem == table.name)?;
    keys.iter().find(|(name, _)| *name == key.name).map(|(_, value)| *value)
}

/// All defaults of a kind of policy, as if they had been written.
#[must_use]
pub fn defaults(table: &Table) -> Written {
    let mut written = Written::NOTHING;
    for key in 0..table.keys.len() {
        written.put(key, default(table, key, &Written::NOTHING));
    }
    written
}

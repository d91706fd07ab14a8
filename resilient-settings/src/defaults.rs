//! The value of a key that nobody wrote.

use std::time::Duration;

use crate::stem::circuit_breaker::WINDOW_CALLS;
use crate::stem::{MODES, READINESS, Table};
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
    let place = |other: &str| table.keys.iter().position(|key| key.name == other);
    let stands = |other: &str| {
        let other = place(other)?;
        written.get(other).or_else(|| default(table, other, written))
    };
    let says = |other: &str| {
        table.keys.iter().zip(0..).any(|(key, at)| key.name == other && written.get(at).is_some())
    };
    match (table.name, key.name) {
        (_, "enabled") => return Some(Value::Flag(true)),
        (_, "readiness") => return Some(Value::Word(READINESS[0])),
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
        ("load_shed", limit @ ("min_limit" | "initial_limit" | "max_limit")) => {
            return Some(limit_beside(limit, |other| written.count(place(other)?)));
        }
        ("load_shed", level @ ("optional_at" | "normal_at" | "important_at")) => {
            return Some(level_beside(level, |other| written.number(place(other)?)));
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

/// A limit of a load shedder that is not written, which gives way to those that are.
fn limit_beside(limit: &str, said: impl Fn(&str) -> Option<u64>) -> Value {
    let (least, first, most) = (said("min_limit"), said("initial_limit"), said("max_limit"));
    let least = least.unwrap_or_else(|| first.into_iter().chain(most).fold(4, u64::min));
    let most = most.unwrap_or_else(|| first.into_iter().fold(1_000, u64::max)).max(least);
    Value::Count(match limit {
        "min_limit" => least,
        "max_limit" => most,
        _ => first.unwrap_or(20).clamp(least, most),
    })
}

/// A level of a load shedder that is not written, which gives way to those that are.
fn level_beside(level: &str, said: impl Fn(&str) -> Option<f64>) -> Value {
    let (optional, important) = (said("optional_at"), said("important_at"));
    let normal = said("normal_at").unwrap_or_else(|| important.into_iter().fold(0.8, f64::min));
    let optional = optional.unwrap_or(0.6_f64.min(normal));
    let normal = normal.max(optional);
    Value::Number(match level {
        "optional_at" => optional,
        "normal_at" => normal,
        _ => important.unwrap_or(0.9).max(normal),
    })
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

//! `"250ms"` and `"1m 30s"`: the texts that stand for a time.
//!
//! Pure: text in, a time or a sentence out, so that files can hold the same rules.

use std::time::Duration;

/// No setting needs more, and a slip of the unit is caught here.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Largest first: a time is written in this order.
const UNITS: [&str; 7] = ["d", "h", "m", "s", "ms", "us", "ns"];

/// Reads a time with its units; the error is a sentence without the key.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let parts = parts(text)?;
    let mut last = None;
    for (number, unit) in &parts {
        let rank = rank(number, unit)?;
        if last.is_some_and(|last| last >= rank) {
            return Err(format!(
                "`{text}` must go from large units to small ones, each at most once: write \"1m 30s\""
            ));
        }
        last = Some(rank);
    }
    let time = humantime::parse_duration(text)
        .map_err(|fault| format!("`{text}` is not a time: {fault}; write \"250ms\" or \"1m 30s\""))?;
    if time > LONGEST {
        return Err(format!("`{text}` is longer than a day; the longest is \"1d\""));
    }
    Ok(time)
}

fn rank(number: &str, unit: &str) -> Result<usize, String> {
    if let Some(rank) = UNITS.iter().position(|known| *known == unit) {
        return Ok(rank);
    }
    let text = format!("{number}{unit}");
    Err(match unit {
        "" => no_unit(number),
        "M" | "month" | "months" | "y" | "yr" | "year" | "years" => {
            format!("`{text}`: months and years differ in length and are refused; the longest is \"1d\"")
        }
        "w" | "week" | "weeks" => format!("`{text}` is longer than a day; the longest is \"1d\""),
        _ => {
            let meant = meant(unit).map(|unit| format!("; write \"{number}{unit}\"")).unwrap_or_default();
            format!("unknown unit `{unit}` in `{text}`{meant}; units: ns, us, ms, s, m, h, d")
        }
    })
}

fn meant(unit: &str) -> Option<&'static str> {
    Some(match unit.to_lowercase().as_str() {
        "ns" | "nsec" | "nanos" | "nanosecond" | "nanoseconds" => "ns",
        "us" | "µs" | "μs" | "usec" | "micros" | "microsecond" | "microseconds" => "us",
        "ms" | "msec" | "millis" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    })
}

/// What to say about a number that stands alone.
pub(crate) fn no_unit(number: &str) -> String {
    format!("a duration needs a unit: write \"{number}ms\" or \"{number}s\"")
}

/// Splits `1m 30s` into `(1, m)` and `(30, s)`.
fn parts(text: &str) -> Result<Vec<(String, String)>, String> {
    let not_a_time = || format!("`{text}` is not a time: write \"250ms\" or \"1m 30s\"");
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        if number.parse::<f64>().is_err() {
            return Err(not_a_time());
        }
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        parts.push((number.to_owned(), unit.to_owned()));
        rest = after.trim_start();
    }
    if parts.is_empty() { Err(not_a_time()) } else { Ok(parts) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_fractions_are_read() {
        for (text, nanos) in [
            ("250ms", 250_000_000),
            ("1.5s", 1_500_000_000),
            ("1m 30s", 90_000_000_000),
            ("1m30s", 90_000_000_000),
            (" 2 s ", 2_000_000_000),
            ("0s", 0),
            ("1d", 86_400_000_000_000),
            ("7us 5ns", 7_005),
        ] {
            assert_eq!(duration(text).map(|time| time.as_nanos()), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_told_why() {
        for (text, words) in [
            ("250", "a duration needs a unit: write \"250ms\" or \"250s\""),
            ("", "is not a time"),
            ("fast", "is not a time"),
            ("-1s", "is not a time"),
            ("1..5s", "is not a time"),
            ("3M", "months and years"),
            ("1year", "months and years"),
            ("2w", "longer than a day"),
            ("25h", "longer than a day"),
            ("3secs", "write \"3s\""),
            ("3parsecs", "unknown unit `parsecs`"),
            ("30s 1m", "from large units to small"),
            ("1s 1s", "from large units to small"),
            ("99999999999999999999999999s", "is not a time"),
        ] {
            let fault = duration(text).expect_err(text);
            assert!(fault.contains(words), "{text}: {fault}");
        }
    }
}

//! `"250ms"` and `"1m 30s"`: the texts that stand for a time.
//!
//! Pure: text in, a time or a sentence out, so that files can hold the same rules.

use std::time::Duration;

/// No setting needs more, and a slip of the unit is caught here.
pub(crate) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Largest first: a time is written in this order.
const UNITS: [&str; 7] = ["d", "h", "m", "s", "ms", "us", "ns"];

pub(crate) const NEGATIVE: &str = "a duration cannot be negative";

/// One number with its unit.
struct Part<'a> {
    number: &'a str,
    unit: &'a str,
    /// Both as they were written.
    text: &'a str,
}

/// Reads a time with its units; the error is a sentence without the key.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let mut last = None;
    for part in parts(text)? {
        let rank = rank(&part)?;
        if last.is_some_and(|last| last >= rank) {
            return Err(format!(
                "`{text}`: a duration goes from large units to small ones, each once, as in \"1m 30s\""
            ));
        }
        last = Some(rank);
    }
    // What is left to go wrong is a number without a place in a `Duration`.
    let Ok(time) = humantime::parse_duration(text) else {
        return Err(format!("`{text}` is out of range: a duration is at least \"1ns\" and at most \"1d\""));
    };
    if time > LONGEST {
        return Err(too_long(text));
    }
    Ok(time)
}

/// A time in the units it is written in.
pub(crate) fn shown(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

fn too_long(text: &str) -> String {
    format!("`{text}` is longer than a day; the longest is \"1d\"")
}

fn rank(part: &Part<'_>) -> Result<usize, String> {
    let Part { number, unit, text } = part;
    if let Some(rank) = UNITS.iter().position(|known| known == unit) {
        return Ok(rank);
    }
    Err(match *unit {
        "" => no_unit(number),
        "M" | "month" | "months" | "y" | "yr" | "year" | "years" => {
            format!("`{text}`: months and years differ in length and are refused; the longest is \"1d\"")
        }
        "w" | "week" | "weeks" => too_long(text),
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

/// Splits `1m 30s` into `1m` and `30s`.
fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("this duration is empty: write \"250ms\" or \"1m 30s\"".to_owned());
    }
    if rest.starts_with('-') {
        return Err(NEGATIVE.to_owned());
    }
    while !rest.is_empty() {
        let number = leading(rest, |c| c.is_ascii_digit() || c == '.');
        if number.parse::<f64>().is_err() {
            return Err(format!("`{text}` is not a time: write \"250ms\" or \"1m 30s\""));
        }
        let after = rest[number.len()..].trim_start();
        let unit = leading(after, char::is_alphabetic);
        let end = rest.len() - after.len() + unit.len();
        parts.push(Part { number, unit, text: rest[..end].trim_end() });
        rest = rest[end..].trim_start();
    }
    Ok(parts)
}

fn leading(text: &str, accepts: impl Fn(char) -> bool) -> &str {
    let end = text.find(|c| !accepts(c)).unwrap_or(text.len());
    &text[..end]
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
            ("", "is empty"),
            ("fast", "is not a time"),
            ("-1s", "cannot be negative"),
            ("1..5s", "is not a time"),
            ("3M", "months and years"),
            ("1year", "months and years"),
            ("2w", "longer than a day"),
            ("25h", "longer than a day"),
            ("3secs", "write \"3s\""),
            ("3parsecs", "unknown unit `parsecs`"),
            ("30s 1m", "from large units to small"),
            ("1s 1s", "from large units to small"),
            ("99999999999999999999999999s", "out of range"),
            ("0.1ns", "out of range"),
            ("2 weeks", "`2 weeks` is longer"),
        ] {
            let fault = duration(text).expect_err(text);
            assert!(fault.contains(words), "{text}: {fault}");
        }
    }
}

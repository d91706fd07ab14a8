//! `"250ms"`, `"1m 30s"` and `"100/s"`: the texts that stand for a time or a rate.
//!
//! Pure: text in, a value or a sentence out, so that files can hold the same rules.

use std::time::Duration;

use crate::Rate;

/// No setting needs more, and a slip of the unit is caught here.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Largest first: a time is written in this order.
const UNITS: [&str; 7] = ["d", "h", "m", "s", "ms", "us", "ns"];

pub const NEGATIVE: &str = "a duration cannot be negative";

/// One number with its unit.
struct Part<'a> {
    number: &'a str,
    unit: &'a str,
    /// Both as they were written.
    text: &'a str,
}

/// Reads a time with its units; the error is a sentence without the key.
pub fn duration(text: &str) -> Result<Duration, String> {
    let time = measured(text)?;
    if time > LONGEST {
        return Err(too_long(text));
    }
    Ok(time)
}

/// The same, of whatever length.
fn measured(text: &str) -> Result<Duration, String> {
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
    humantime::parse_duration(text)
        .ok()
        .ok_or_else(|| format!("`{text}` is out of range: a duration is at least \"1ns\" and at most \"1d\""))
}

/// A time in the units it is written in.
#[must_use]
pub fn shown(time: Duration) -> String {
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
#[must_use]
pub fn no_unit(number: &str) -> String {
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

/// The share of calls that `p99.9` speaks of, if it is a quantile.
#[must_use]
pub fn quantile(text: &str) -> Option<Result<f64, String>> {
    let text = text.trim();
    let of_hundred = text.strip_prefix(['p', 'P']).or_else(|| text.strip_suffix('%'))?;
    let is_plain = |number: &str| number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let share: f64 = of_hundred.trim().parse().ok().filter(|share: &f64| share.is_finite())?;
    let tenths = (share * 10.0).round();
    let fits = (500.0..=999.0).contains(&tenths) && (share * 10.0 - tenths).abs() < 1e-9;
    Some(if !fits {
        Err(format!(
            "\"{text}\" is no quantile: write one from \"p50\" to \"p99.9\", with one digit behind the point at most"
        ))
    } else if text.strip_prefix('p').is_some_and(is_plain) {
        Ok(tenths / 1_000.0)
    } else {
        Err(format!("a quantile is written \"p{share}\""))
    })
}

/// Reads a rate; the error is a sentence without the key.
pub fn rate(text: &str) -> Result<Rate, String> {
    if text.trim().is_empty() {
        return Err("this rate is empty: write \"100/s\" or \"5/250ms\"".to_owned());
    }
    let no_rate = || format!("`{text}` is not a rate: write \"100/s\" or \"5/250ms\"");
    let Some((number, period)) = text.split_once('/').map(|(number, period)| (number.trim(), period.trim()))
    else {
        let alone = text.trim();
        return Err(if alone.parse::<u64>().is_ok() { no_period(alone) } else { no_rate() });
    };
    let permits = permits(number)?.ok_or_else(no_rate)?;
    let period = match period.chars().next() {
        None => return Err(no_period(number)),
        Some(first) if first.is_alphabetic() => one(number, period)?,
        Some(_) => measured(period)?,
    };
    let rate = Rate::new(permits, period);
    rate.fault().map_or(Ok(rate), |fault| Err(format!("`{text}` {fault}")))
}

/// What to say about a number without a time to count in.
#[must_use]
pub fn no_period(number: &str) -> String {
    format!("a rate needs a time to count in: write \"{number}/s\" or \"{number}/m\"")
}

fn permits(number: &str) -> Result<Option<u32>, String> {
    let digits = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    if digits {
        let most = u32::MAX;
        let permits = number.parse().ok();
        return permits.map(Some).ok_or_else(|| format!("`{number}` is too large: the most is {most}"));
    }
    if number.starts_with('-') {
        return Err("a rate cannot be negative".to_owned());
    }
    if number.parse::<f64>().is_ok_and(f64::is_finite) {
        return Err(format!("`{number}` is no whole number: count in a longer time, as in \"1/2s\""));
    }
    Ok(None)
}

/// The unit that stands for one of it.
fn one(number: &str, unit: &str) -> Result<Duration, String> {
    if UNITS.contains(&unit) {
        return measured(&format!("1{unit}"));
    }
    let text = format!("{number}/{unit}");
    Err(match (meant(unit), unit) {
        (_, "M" | "month" | "months" | "y" | "yr" | "year" | "years") => {
            format!("`{text}`: months and years differ in length: write days, as in \"{number}/30d\"")
        }
        (_, "w" | "week" | "weeks") => format!("unknown unit `{unit}` in `{text}`; write \"{number}/7d\""),
        (Some(unit), written) => {
            format!("unknown unit `{written}` in `{text}`; write \"{number}/{unit}\"")
        }
        _ => format!("unknown unit `{unit}` in `{text}`; units: ns, us, ms, s, m, h, d"),
    })
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

    #[test]
    fn a_quantile_is_a_p_and_digits() {
        assert_eq!(["p95", " p50.0 "].map(quantile), [Some(Ok(0.95)), Some(Ok(0.5))]);
        for text in ["p 95", "p+95", "p9.5e1", "P95", "95%", "95 %"] {
            assert_eq!(quantile(text), Some(Err("a quantile is written \"p95\"".to_owned())), "{text}");
        }
        assert_eq!(["95", "pp95", "pinf", "p"].map(quantile), [None, None, None, None]);
    }

    #[test]
    fn rates_are_read() {
        for (text, permits, nanos) in [
            ("100/s", 100, 1_000_000_000),
            ("5/250ms", 5, 250_000_000),
            ("7/1m 30s", 7, 90_000_000_000),
            (" 1 / 365d ", 1, 365 * 86_400_000_000_000),
            ("2000000000/s", 2_000_000_000, 1_000_000_000),
            ("4/ns", 4, 1),
        ] {
            let read = rate(text).map(|rate| (rate.permits(), rate.period().as_nanos()));
            assert_eq!(read, Ok((permits, nanos)), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_told_why() {
        for (text, words) in [
            ("100", "write \"100/s\""),
            ("100/", "write \"100/s\""),
            ("", "is empty"),
            ("/s", "is not a rate"),
            ("s/100", "is not a rate"),
            ("100 per second", "is not a rate"),
            ("fast", "is not a rate"),
            ("1_000/s", "is not a rate"),
            ("NaN/s", "is not a rate"),
            ("0/s", "never let a call through"),
            ("-5/s", "cannot be negative"),
            ("0.5/s", "no whole number"),
            ("100/sec", "write \"100/s\""),
            ("100/min", "write \"100/m\""),
            ("100/S", "write \"100/s\""),
            ("100/parsec", "unknown unit `parsec`"),
            ("100/month", "write days"),
            ("100/week", "write \"100/7d\""),
            ("100/60", "a duration needs a unit"),
            ("100/0s", "no time to count in"),
            ("1/367d", "more than 366 days"),
            ("1/s/s", "unknown unit `s/s`"),
            ("5/ns", "faster than"),
            ("4294967296/s", "too large"),
            ("1/-1s", "cannot be negative"),
            ("1/99999999999999999999d", "out of range"),
        ] {
            let fault = rate(text).expect_err(text);
            assert!(fault.contains(words), "{text}: {fault}");
        }
    }
}

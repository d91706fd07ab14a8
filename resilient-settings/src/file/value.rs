//! Texts and values of TOML, taken for what a key expects.

use toml::de::{DeInteger, DeValue};

use crate::words::{meant, quoted};
use crate::{Kind, Value, intern_outside, literal};

/// What a text stands for that comes without quotes, such as an environment variable's: there, neither the space
/// around it matters nor the case of words.
pub fn of_text(kind: Kind, text: &str) -> Result<Value, String> {
    let text = text.trim();
    let lower = text.to_lowercase();
    let value = match kind {
        Kind::Count(_) | Kind::CountTo(_) | Kind::Version(_) => Value::Count(count(text)?),
        Kind::CountOrTime(_) if is_number(text) => Value::Count(count(text)?),
        Kind::Ratio | Kind::Factor => Value::Number(number(kind, text)?),
        Kind::Flag => match lower.as_str() {
            "true" => Value::Flag(true),
            "false" => Value::Flag(false),
            _ => return Err(format!("\"{text}\" is neither true nor false")),
        },
        Kind::Word(_) => quoted_text(kind, &lower)?,
        Kind::TimeOr(_, word) if lower == word => Value::Word(word),
        _ => quoted_text(kind, text)?,
    };
    checked(kind, value)
}

/// What a value of a file stands for.
pub(super) fn of_toml(kind: Kind, value: &DeValue<'_>) -> Result<Value, String> {
    let value = match (kind, value) {
        (
            Kind::Count(_) | Kind::CountTo(_) | Kind::Version(_) | Kind::CountOrTime(_),
            DeValue::Integer(n),
        ) => Value::Count(count(&decimal(n)?)?),
        (Kind::Ratio | Kind::Factor, DeValue::Integer(n)) => Value::Number(number(kind, &decimal(n)?)?),
        (Kind::Ratio | Kind::Factor, DeValue::Float(n)) => Value::Number(number(kind, n.as_str())?),
        (Kind::Flag, DeValue::Boolean(flag)) => Value::Flag(*flag),
        (_, DeValue::String(text)) => match kind {
            Kind::Count(_)
            | Kind::CountTo(_)
            | Kind::Version(_)
            | Kind::Ratio
            | Kind::Factor
            | Kind::Flag => {
                return Err(needless_quotes(kind, text));
            }
            Kind::CountOrTime(_) if is_number(text) => {
                return Err(format!(
                    "\"{text}\" needs a unit, or no quotes: \"{text}s\" is a time, {text} counts calls"
                ));
            }
            _ => quoted_text(kind, text)?,
        },
        _ => return Err(wrong_type(kind, value)),
    };
    checked(kind, value)
}

fn checked(kind: Kind, value: Value) -> Result<Value, String> {
    kind.complain(value).map_or(Ok(value), Err)
}

/// What stands in quotes in a file.
fn quoted_text(kind: Kind, text: &str) -> Result<Value, String> {
    match kind {
        Kind::TimeOr(_, word) if text == word => Ok(Value::Word(word)),
        Kind::TimeOrQuantile => match literal::quantile(text) {
            Some(share) => share.map(Value::Number),
            None => literal::duration(text).map(Value::Time),
        },
        Kind::Rate => literal::rate(text).map(Value::Rate),
        Kind::Word(words) => word(words, text),
        Kind::Name { .. } => kept(text).map(Value::Word),
        _ => literal::duration(text).map(Value::Time),
    }
}

/// A name as long as the program lives.
pub(super) fn kept(name: &str) -> Result<&'static str, String> {
    intern_outside(name)
        .ok_or_else(|| "files have brought too many different names: start the program anew".to_owned())
}

fn word(words: &'static [&'static str], text: &str) -> Result<Value, String> {
    if let Some(word) = words.iter().find(|word| **word == text) {
        return Ok(Value::Word(word));
    }
    let list = quoted(words);
    Err(match meant(text, words) {
        Some(word) => format!("unknown word \"{text}\"; did you mean \"{word}\"? All of them: {list}"),
        None => format!("unknown word \"{text}\"; it is one of {list}"),
    })
}

fn is_number(text: &str) -> bool {
    text.trim().parse().is_ok_and(f64::is_finite)
}

fn count(text: &str) -> Result<u64, String> {
    let text = text.trim();
    if let Ok(count) = text.parse() {
        return Ok(count);
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    Err(if digits.is_empty() || !digits.chars().all(|letter| letter.is_ascii_digit()) {
        format!("`{text}` is no whole number")
    } else if digits.len() < text.len() {
        format!("{text} is negative")
    } else {
        format!("{text} is more than {}", u32::MAX)
    })
}

fn number(kind: Kind, text: &str) -> Result<f64, String> {
    let text = text.trim();
    let percent = text.strip_suffix('%').and_then(|text| text.trim().parse().ok());
    if let Some(percent) = percent.filter(|percent: &f64| percent.is_finite()) {
        return Err(match kind {
            Kind::Ratio => {
                format!("a share is a number from 0 to 1: write {} for {percent} %", percent / 100.0)
            }
            _ => format!("`{text}` is no number: write {}", percent / 100.0),
        });
    }
    text.parse().ok().ok_or_else(|| format!("`{text}` is no number"))
}

fn decimal(n: &DeInteger<'_>) -> Result<String, String> {
    let number = i128::from_str_radix(n.as_str(), n.radix());
    let number = number.ok().map(|number| number.to_string());
    number.ok_or_else(|| format!("{n} is more than {}", u32::MAX))
}

fn needless_quotes(kind: Kind, text: &str) -> String {
    match of_text(kind, text) {
        Ok(value) => format!("it takes {}, without quotes: {value}", wanted(kind)),
        Err(_) if !text.contains('%') => format!("\"{text}\" is a text, but it takes {}", wanted(kind)),
        Err(why) => why,
    }
}

fn wrong_type(kind: Kind, value: &DeValue<'_>) -> String {
    let shown = match value {
        DeValue::Integer(n) => n.to_string(),
        DeValue::Float(n) => n.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
        DeValue::String(text) => format!("\"{text}\""),
    };
    match (kind, value) {
        (Kind::Time(_) | Kind::TimeOr(..) | Kind::TimeOrQuantile, DeValue::Integer(_)) => {
            literal::no_unit(&shown)
        }
        (Kind::TimeOrQuantile, DeValue::Float(n)) => match n.as_str().parse::<f64>() {
            Ok(share) if (0.5..1.0).contains(&share) => {
                format!("a quantile is a word in quotes: \"p{}\"", (share * 1_000.0).round() / 10.0)
            }
            _ => literal::no_unit(&shown),
        },
        (Kind::Time(_) | Kind::TimeOr(..), DeValue::Float(_)) => literal::no_unit(&shown),
        (Kind::Rate, DeValue::Integer(_)) => literal::no_period(&shown),
        (Kind::Word(words), _) => match meant(&shown, words) {
            Some(word) => format!("it takes a word in quotes: \"{word}\""),
            None => format!("{shown} is no word in quotes; it is one of {}", quoted(words)),
        },
        _ => format!("it takes {}, not {shown}", wanted(kind)),
    }
}

/// What a key takes, in words.
fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Count(_) | Kind::CountTo(_) | Kind::Version(_) => "a whole number",
        Kind::Ratio => "a number above 0 and at most 1",
        Kind::Factor => "a number from 1 on",
        Kind::Time(_) => "a duration such as \"250ms\"",
        Kind::TimeOr(..) => "a duration such as \"5s\", or \"off\"",
        Kind::Rate => "a rate such as \"100/s\"",
        Kind::CountOrTime(_) => "a number of calls such as 100, or a duration such as \"10s\"",
        Kind::TimeOrQuantile => "a duration such as \"50ms\", or a quantile such as \"p95\"",
        Kind::Flag => "true or false",
        Kind::Word(_) => "a word in quotes",
        Kind::Name { .. } => "a name in quotes",
    }
}

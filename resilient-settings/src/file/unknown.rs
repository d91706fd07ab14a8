//! What stands where it is not expected, and what was probably meant.

use toml::de::DeValue;

use crate::stack;
use crate::stem::{TABLES, Table, general, table};
use crate::words::{dotted, listed, nearest, snake};

/// Kinds of policies under the names that other libraries give them.
const OTHER_STEMS: [(&str, &str); 12] = [
    ("breaker", "circuit_breaker"),
    ("circuitbreaker", "circuit_breaker"),
    ("cb", "circuit_breaker"),
    ("limiter", "rate_limit"),
    ("rate_limiter", "rate_limit"),
    ("ratelimiter", "rate_limit"),
    ("throttle", "rate_limit"),
    ("time_limiter", "timeout"),
    ("timelimiter", "timeout"),
    ("hedging", "hedge"),
    ("retries", "retry"),
    ("thread_pool_bulkhead", "bulkhead"),
];

/// What to say about `stem`, which is no kind of policy.
pub(super) fn stem(stem: &str, value: &DeValue<'_>) -> String {
    let lower = snake(stem);
    if general::TABLE.keys.iter().any(|key| key.name == lower) {
        return "stands one level too high: it is a key of `[resilient]`".to_owned();
    }
    let stems = || TABLES.iter().map(|table| table.name);
    let known = stems().chain([general::TABLE.name, stack::TABLE]);
    let end = match other(&lower).or_else(|| nearest(&lower, known)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => match inner_stem(value) {
            Some(inner) => format!("the kind comes first: `[{inner}.{}]`", dotted([stem])),
            None => format!("there are {}", listed(stems())),
        },
    };
    format!("this is no kind of policy; {end}")
}

/// What to say where a stack, or all of them, should be a table.
pub(super) fn no_stack(name: Option<&str>, value: &DeValue<'_>) -> String {
    let name = name.map_or_else(|| "<name>".to_owned(), |name| dotted([name]));
    if value.is_array() {
        return format!("a stack stands in one pair of brackets: `[{}.{name}]`", stack::TABLE);
    }
    format!(
        "a stack is a table of its policies: `[{}.{name}]` with `retry = {{ max = 3 }}` below it",
        stack::TABLE
    )
}

/// What to say about a word that is no policy of the stack `name`.
pub(super) fn part(name: &str, word: &str, value: &DeValue<'_>) -> String {
    let parts = || stack::STACK.iter().map(|part| part.table.name);
    let lower = snake(word);
    if let Some(table) = table(&lower) {
        let stem = table.name;
        return format!(
            "`{stem}` is no part of a stack: it is an attribute of its own, whose settings stand in \
             `[{}]`. Parts: {}",
            dotted([stem, name]),
            listed(parts())
        );
    }
    if let Some(part) = stack::STACK.iter().find(|part| part.table.keys.iter().any(|key| key.name == lower))
        && !value.is_table()
    {
        return format!(
            "stands one level too high: it is a key of a policy, as in `[{}]`",
            dotted([stack::TABLE, name, part.table.name])
        );
    }
    let end = match other(&lower).or_else(|| nearest(&lower, parts())) {
        Some(meant) => format!("did you mean `{meant}`? Parts: "),
        None => "parts: ".to_owned(),
    };
    format!("this is no policy of a stack; {end}{}", listed(parts()))
}

fn other(stem: &str) -> Option<&'static str> {
    OTHER_STEMS.iter().find(|(other, _)| *other == stem).map(|(_, stem)| *stem)
}

/// `[payments.retry]`: the levels are the wrong way round.
fn inner_stem(value: &DeValue<'_>) -> Option<&'static str> {
    value.as_table()?.keys().find_map(|key| table(key.get_ref())).map(|table| table.name)
}

/// What to say about a key of a kind of policy where the name of a policy is expected.
pub(super) fn no_table(table: &Table, key: &str, value: &DeValue<'_>) -> String {
    let stem = table.name;
    if value.is_array() {
        return format!("a policy stands in one pair of brackets: `[{}]`", dotted([stem, key]));
    }
    if table.keys.iter().any(|known| known.name == key) || key == "extends" {
        return format!(
            "stands one level too high: write it below `[{stem}.<name>]`, or below `[{stem}.default]` for all"
        );
    }
    match table.keys.first() {
        Some(first) => format!(
            "the settings of a policy are a table: `[{}]` with keys such as `{}` below it",
            dotted([stem, key]),
            first.name
        ),
        None => format!("the settings of a policy are a table: `[{}]`", dotted([stem, key])),
    }
}

/// What to say about a key that `table` does not have.
pub(super) fn key(table: &Table, key: &str, value: &DeValue<'_>) -> String {
    let stem = table.name;
    match key {
        _ if table.code.contains(&key) => {
            return format!("`{key}` is code and stands in the attribute: `#[{stem}({key} = …)]`");
        }
        "crate" => return "`crate` is for the attribute alone".to_owned(),
        "name" | "id" | "label" => {
            return format!("the name of a policy stands in the brackets: `[{stem}.<name>]`");
        }
        _ => {}
    }
    if let Some(advice) = advice(table, key) {
        return format!("unknown key; {advice}");
    }
    let mut known: Vec<_> = table.keys.iter().map(|key| key.name).collect();
    known.dedup();
    if !std::ptr::eq(table, &raw const general::TABLE) {
        known.push("extends");
    }
    let end = match nearest(&snake(key), known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`? Keys: {}", listed(known)),
        None if value.is_table() => {
            format!(
                "a name with a dot stands in quotes: `[{stem}.\"<name>.{key}\"]`. Keys: {}",
                listed(known)
            )
        }
        None => format!("keys: {}", listed(known)),
    };
    format!("unknown key; {end}")
}

/// What to write instead of a word that is no key.
///
/// Only the attribute takes what is code.
#[must_use]
pub fn advice(table: &Table, word: &str) -> Option<String> {
    let code = || {
        table
            .advice_on_code(word)
            .map(|advice| format!("this is code, which stands in the attribute: {advice}"))
    };
    table.advice(word).or_else(code)
}

/// What to say about a key of `[resilient]` that it does not have.
pub(super) fn general(key: &str, value: &DeValue<'_>) -> String {
    if let Some(table) = table(key) {
        return format!("stands one level too deep: policies are told by `[{}.<name>]`", table.name);
    }
    if key == "default" {
        return "defaults are told by kind: `[retry.default]`".to_owned();
    }
    if let Some(advice) = general::TABLE.advice(key) {
        return format!("unknown key; {advice}");
    }
    let known = || general::TABLE.keys.iter().map(|key| key.name).chain([general::LOG]);
    let end = match nearest(&snake(key), known()) {
        Some(meant) => format!("did you mean `{meant}`? Keys: "),
        None if value.is_table() => "policies are told by kind and name: `[retry.<name>]`. Keys: ".to_owned(),
        None => "keys: ".to_owned(),
    };
    format!("unknown key; {end}{}", listed(known()))
}

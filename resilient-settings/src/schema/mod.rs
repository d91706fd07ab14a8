//! A JSON schema of the files, for editors.
//!
//! It is as strict as such a schema can be: it knows every key and every word, and how durations and rates look.
//! What depends on more than one value, the program finds when it reads the file.

mod says;

use serde_json::{Map, Value as Json, json};

use crate::file::LEVELS;
use crate::stem::{TABLES, Table, general};
use crate::{Key, Kind, stack};

const PARTS: &str = "([0-9.]+\\s*(ns|us|ms|s|m|h|d)\\s*)+";

/// The schema, in draft 2020-12.
#[must_use]
pub fn schema() -> Json {
    let mut properties = Map::new();
    properties.insert(general::TABLE.name.to_owned(), resilient());
    for table in TABLES {
        properties.insert(table.name.to_owned(), policies(table));
    }
    properties.insert(stack::TABLE.to_owned(), stacks());
    let mut definitions = values();
    definitions.extend(TABLES.iter().map(|table| (table.name.to_owned(), policy(table))));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of resilient-runtime",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "$defs": definitions,
    })
}

/// The same, as the file that is checked in.
#[must_use]
pub fn text() -> String {
    format!("{:#}\n", schema())
}

/// What stands in quotes.
fn values() -> Map<String, Json> {
    let text = |description: &str, pattern: String| json!({ "description": description, "type": "string", "pattern": pattern });
    let rate = format!("^\\s*[0-9]+\\s*/\\s*(ns|us|ms|s|m|h|d|{PARTS})\\s*$");
    let definitions = [
        (
            "duration",
            text("A duration with its units, as in \"250ms\" or \"1m 30s\".", format!("^\\s*{PARTS}$")),
        ),
        ("rate", text("Calls in a time, as in \"100/s\" or \"5/250ms\".", rate)),
        (
            "quantile",
            text("The share of calls that takes less, as in \"p95\".", "^\\s*p[0-9.]+\\s*$".to_owned()),
        ),
        ("name", json!({ "description": "The name of a policy.", "type": "string", "minLength": 1 })),
    ];
    definitions.map(|(name, definition)| (name.to_owned(), definition)).into_iter().collect()
}

/// `[retry]`: one table for each policy.
fn policies(table: &Table) -> Json {
    json!({
        "description": says::stem(table.name),
        "type": "object",
        "propertyNames": { "minLength": 1 },
        "additionalProperties": reference(table.name),
    })
}

/// `[policy]`: one table for each stack.
fn stacks() -> Json {
    let parts = stack::STACK.iter().map(|part| part.table.name);
    let parts: Map<String, Json> = parts.map(|stem| (stem.to_owned(), reference(stem))).collect();
    json!({
        "description": says::STACK,
        "type": "object",
        "propertyNames": { "minLength": 1, "not": { "const": crate::file::DEFAULT } },
        "additionalProperties": { "type": "object", "additionalProperties": false, "properties": parts },
    })
}

/// `[retry.payments]`
fn policy(table: &Table) -> Json {
    let mut properties = keys(table);
    properties.insert("extends".to_owned(), described(says::EXTENDS, &reference("name")));
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

/// `[resilient]`
fn resilient() -> Json {
    let mut properties = keys(&general::TABLE);
    let log = json!({
        "description": says::LOG,
        "type": "object",
        "additionalProperties": { "enum": LEVELS },
    });
    properties.insert(general::LOG.to_owned(), log);
    json!({
        "description": says::stem(general::TABLE.name),
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

fn keys(table: &Table) -> Map<String, Json> {
    let mut keys = Map::new();
    for key in table.keys {
        let same: Vec<&Key> = table.keys.iter().filter(|other| other.name == key.name).collect();
        let value = match same.as_slice() {
            [one] => value(one.kind),
            several => json!({ "anyOf": several.iter().map(|key| value(key.kind)).collect::<Vec<_>>() }),
        };
        keys.insert(key.name.to_owned(), described(says::key(table.name, key.name), &value));
    }
    keys
}

fn value(kind: Kind) -> Json {
    match kind {
        Kind::Count(least) => json!({ "type": "integer", "minimum": least, "maximum": u32::MAX }),
        Kind::CountTo(most) | Kind::Version(most) => {
            json!({ "type": "integer", "minimum": 1, "maximum": most })
        }
        Kind::Ratio => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 }),
        Kind::Factor => json!({ "type": "number", "minimum": 1 }),
        Kind::Time(_) => reference("duration"),
        Kind::TimeOr(_, word) => json!({ "anyOf": [reference("duration"), { "const": word }] }),
        Kind::Rate => reference("rate"),
        Kind::CountOrTime(most) => json!({ "anyOf": [value(Kind::CountTo(most)), reference("duration")] }),
        Kind::TimeOrQuantile => json!({ "anyOf": [reference("duration"), reference("quantile")] }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Name { .. } => reference("name"),
    }
}

fn reference(definition: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{definition}") })
}

fn described(description: &str, value: &Json) -> Json {
    let mut described = value.clone();
    if let Some(value) = described.as_object_mut() {
        value.insert("description".to_owned(), description.into());
    }
    described
}

#[cfg(test)]
mod tests;

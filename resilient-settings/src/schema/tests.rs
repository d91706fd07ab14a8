#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use regex_lite::Regex;
use toml::de::{DeTable, DeValue};

use super::*;

/// Where it is checked in; `RESILIENT_SCHEMA=write cargo test -p resilient-settings --features schema` writes it.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../resilient.schema.json");

#[test]
fn the_schema_that_is_checked_in_is_current() {
    let current = text();
    if env::var_os("RESILIENT_SCHEMA").is_some() {
        fs::write(FILE, current).unwrap();
        return;
    }
    let checked_in = fs::read_to_string(FILE).unwrap_or_default();
    assert!(checked_in == current, "it has changed: see above how to write it");
}

#[test]
fn every_table_and_key_has_words() {
    for table in TABLES.iter().copied().chain([&general::TABLE]) {
        assert_ne!(says::stem(table.name), "", "{}", table.name);
        for key in table.keys {
            assert_ne!(says::key(table.name, key.name), "", "{}.{}", table.name, key.name);
        }
    }
}

/// Whether the schema accepts a value: as much of a validator as this schema needs. As in any, a rule says nothing
/// about values of another type than its own.
fn accepts(schema: &Json, root: &Json, value: &Json) -> bool {
    schema.as_object().unwrap().iter().all(|(word, rule)| match word.as_str() {
        "$ref" => {
            let definition = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
            accepts(&root["$defs"][definition], root, value)
        }
        "anyOf" => rule.as_array().unwrap().iter().any(|rule| accepts(rule, root, value)),
        "enum" => rule.as_array().unwrap().contains(value),
        "const" => rule == value,
        "not" => !accepts(rule, root, value),
        "type" => is_a(rule.as_str().unwrap(), value),
        "minimum" | "maximum" | "exclusiveMinimum" => {
            let bound = rule.as_f64().unwrap();
            value.as_f64().is_none_or(|value| match word.as_str() {
                "minimum" => value >= bound,
                "maximum" => value <= bound,
                _ => value > bound,
            })
        }
        "minLength" => value.as_str().is_none_or(|text| text.len() as u64 >= rule.as_u64().unwrap()),
        "pattern" => value.as_str().is_none_or(|text| matches(rule.as_str().unwrap(), text)),
        "properties" | "propertyNames" | "additionalProperties" => {
            let mut entries = value.as_object().into_iter().flatten();
            entries.all(|entry| accepts_entry(schema, root, word, entry))
        }
        "$schema" | "$defs" | "title" | "description" => true,
        other => panic!("{other} is not known here"),
    })
}

fn is_a(kind: &str, value: &Json) -> bool {
    match kind {
        "object" => value.is_object(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        other => panic!("{other} is not known here"),
    }
}

fn accepts_entry(schema: &Json, root: &Json, word: &str, (key, value): (&String, &Json)) -> bool {
    let (rule, known) = (&schema[word], schema["properties"].get(key));
    match word {
        "properties" => known.is_none_or(|rule| accepts(rule, root, value)),
        "propertyNames" => accepts(rule, root, &Json::String(key.clone())),
        _ => known.is_some() || (rule != &Json::Bool(false) && accepts(rule, root, value)),
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).unwrap().is_match(text)
}

fn json(value: &DeValue<'_>) -> Json {
    match value {
        DeValue::String(text) => Json::String(text.to_string()),
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).unwrap().into(),
        DeValue::Float(n) => n.as_str().parse::<f64>().unwrap().into(),
        DeValue::Boolean(flag) => (*flag).into(),
        DeValue::Array(list) => list.iter().map(|it| json(it.get_ref())).collect(),
        DeValue::Table(table) => table_of(table),
        DeValue::Datetime(_) => Json::Null,
    }
}

fn table_of(table: &DeTable<'_>) -> Json {
    let entries = table.iter().map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref())));
    Json::Object(entries.collect())
}

fn is_accepted(text: &str) -> bool {
    let root = schema();
    accepts(&root, &root, &table_of(DeTable::parse(text).unwrap().get_ref()))
}

#[test]
fn what_is_right_is_accepted() {
    let text = r#"
[resilient]
reload = "5s"
log = { opened = "error", closed = "off" }

[retry.default]
max = 4
jitter = "none"
base = "1m 30s"

[retry."shop::quote"]
extends = "default"
factor = 2
within = " 1.5s "

[circuit_breaker.payments]
failure_rate = 0.5
window = 100

[circuit_breaker.orders]
failure_rate = 1
window = "10s"

[rate_limit.partner]
rate = "5/250ms"

[hedge]
search.after = "p99.9"
lookup.after = "50ms"

[coalesce.search]

[policy.payments]
retry = {}
bulkhead.max_concurrent = 3
"#;
    assert_eq!(crate::file::read("right.toml", text).1, []);
    assert!(is_accepted(text));
    assert!(is_accepted("resilient.reload = \"off\""));
}

#[test]
fn what_is_wrong_is_refused() {
    for text in [
        "retyr.a.max = 3",
        "retry.max = 3",
        "retry.a.maxx = 3",
        "retry.a.max = 0",
        "retry.a.max = 1.5",
        "retry.a.max = \"3\"",
        "retry.a.base = 100",
        "retry.a.base = \"100\"",
        "retry.a.base = \"fast\"",
        "retry.a.base = \"-1s\"",
        "retry.a.factor = 0.5",
        "retry.a.jitter = \"fll\"",
        "retry.a.when = \"always\"",
        "retry.\"\".max = 3",
        "circuit_breaker.a.failure_rate = 50",
        "circuit_breaker.a.failure_rate = 0",
        "circuit_breaker.a.window = 0",
        "rate_limit.a.rate = 100",
        "rate_limit.a.rate = \"100\"",
        "rate_limit.a.rate = \"100/fortnight\"",
        "hedge.a.after = \"95\"",
        "policy.a.max = 3",
        "policy.a.hedge.max = 2",
        "policy.default.retry.max = 3",
        "resilient.relaod = \"5s\"",
        "resilient.reload = \"never\"",
        "resilient.version = 2",
        "resilient.log.opened = \"loud\"",
    ] {
        assert_ne!(crate::file::read("wrong.toml", text).1, [], "{text}");
        assert!(!is_accepted(text), "{text}");
    }
}

/// Values of every type, of which each key takes some.
const VALUES: [&str; 22] = [
    "3",
    "0",
    "-1",
    "1",
    "1.5",
    "0.5",
    "-0.5",
    "true",
    "\"2s\"",
    "\"1m 30s\"",
    "\"2\"",
    "\"s\"",
    "\"p95\"",
    "\"100/s\"",
    "\"full\"",
    "\"observe\"",
    "\"off\"",
    "\"\"",
    "[]",
    "[\"2s\"]",
    "{}",
    "1979-05-27",
];

#[test]
fn the_schema_and_the_reader_agree_on_every_key() {
    for table in TABLES.iter().copied().chain([&general::TABLE]) {
        let section = if table.name == general::TABLE.name { "" } else { ".a" };
        let agrees = |key: &str, value: &str| {
            let text = format!("[{}{section}]\n{key} = {value}\n", table.name);
            let read = crate::file::read("a.toml", &text).1;
            assert_eq!(read.is_empty(), is_accepted(&text), "{text}{read:?}");
        };
        for key in table.keys {
            for value in VALUES {
                agrees(key.name, value);
            }
        }
        for word in table.code.iter().copied().chain(["name", "crate", "unheard_of"]) {
            agrees(word, "3");
        }
        let foreign = table.foreign.iter().flat_map(|foreign| foreign.words.split(' '));
        for word in foreign {
            agrees(word, "3");
        }
    }
}

/// Every text that is shown as a file.
#[test]
fn the_files_that_are_shown_are_accepted() {
    for file in [
        "README.md",
        "resilient-runtime/README.md",
        "resilient-runtime/src/configure/files.rs",
        "resilient-settings/src/file/mod.rs",
    ] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let blocks = blocks(&text);
        assert!(!blocks.is_empty(), "{file}");
        for block in blocks {
            assert_eq!(crate::file::read(file, &block).1, [], "{block}");
            assert!(is_accepted(&block), "{file}: {block}");
        }
    }
}

/// What stands between fences, be it in a comment or not.
fn blocks(text: &str) -> Vec<String> {
    let lines =
        text.lines().map(|line| line.trim_start().trim_start_matches("///").trim_start_matches("//!"));
    let lines: Vec<_> = lines.map(str::trim_start).collect();
    let fenced = lines.split(|line| line.starts_with("```toml")).skip(1);
    fenced
        .filter_map(|rest| rest.split(|line| line.starts_with("```")).next())
        .map(|lines| lines.join("\n"))
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file with settings among the examples and the tests.
#[test]
fn the_files_of_examples_and_tests_are_accepted() {
    let found: Vec<_> =
        ["examples", "tests/embedded"].iter().flat_map(|folder| files(&root().join(folder))).collect();
    assert!(!found.is_empty());
    for file in found {
        let text = fs::read_to_string(&file).unwrap();
        assert!(is_accepted(&text), "{}", file.display());
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let of_path = |path: PathBuf| {
        if path.is_dir() {
            return files(&path);
        }
        if path.extension().is_some_and(|end| end == "toml") { vec![path] } else { Vec::new() }
    };
    paths.flat_map(of_path).collect()
}

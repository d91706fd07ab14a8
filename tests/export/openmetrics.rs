//! A strict reader of `OpenMetrics` text: what it lets pass, any other reader does.

use std::collections::{BTreeMap, BTreeSet};

/// Metadata and series of one scrape.
#[derive(Debug, Default)]
pub(crate) struct Scrape {
    pub(crate) families: BTreeMap<String, Family>,
    /// By name and labels, as in `name{label="value"}`, unescaped.
    series: BTreeMap<String, f64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Family {
    pub(crate) help: String,
    pub(crate) kind: String,
    pub(crate) unit: Option<String>,
}

impl Scrape {
    pub(crate) fn of(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("the text ends with its end and nothing behind");
        let mut scrape = Self::default();
        let mut current = None;
        for line in body.lines() {
            match line.strip_prefix("# ") {
                Some(metadata) => scrape.describe(metadata, &mut current),
                None => scrape.sample(line, current.as_deref().expect("samples stand below their metadata")),
            }
        }
        scrape
    }

    pub(crate) fn get(&self, series: &str) -> Option<f64> {
        self.series.get(series).copied()
    }

    /// The series whose name and labels contain all of `parts`.
    pub(crate) fn with<'a>(&'a self, parts: &'a [&str]) -> impl Iterator<Item = (&'a str, f64)> {
        let found = self.series.iter().filter(|(series, _)| parts.iter().all(|part| series.contains(part)));
        found.map(|(series, value)| (series.as_str(), *value))
    }

    fn describe(&mut self, metadata: &str, current: &mut Option<String>) {
        let mut words = metadata.splitn(3, ' ');
        let (what, name) = (words.next().unwrap_or(""), words.next().expect("metadata is of a family"));
        let text = words.next().expect("metadata says something").to_owned();
        assert!(is_name(name), "{name:?} is no name");
        if current.as_deref() != Some(name) {
            assert!(!self.families.contains_key(name), "{name} stands in two places");
            *current = Some(name.to_owned());
        }
        let family = self.families.entry(name.to_owned()).or_default();
        match what {
            "HELP" => assert!(std::mem::replace(&mut family.help, text).is_empty(), "two helps of {name}"),
            "TYPE" => assert!(std::mem::replace(&mut family.kind, text).is_empty(), "two types of {name}"),
            "UNIT" => {
                assert!(name.ends_with(&format!("_{text}")), "{name} does not end in its unit {text}");
                assert_eq!(family.unit.replace(text), None, "two units of {name}");
            }
            _ => unreachable!("{what} is no metadata"),
        }
    }

    fn sample(&mut self, line: &str, family: &str) {
        let (name, rest) = line.split_at(line.find(['{', ' ']).expect("a value follows"));
        let suffixes: &[&str] = match &*self.families[family].kind {
            "counter" => &["_total"],
            "gauge" => &[""],
            "histogram" => &["_bucket", "_count", "_sum"],
            kind => unreachable!("{kind} is no type that is used here"),
        };
        let suffix = name.strip_prefix(family).expect("samples stand below their own metadata");
        assert!(suffixes.contains(&suffix), "{name} is no sample of {family}");
        let (labels, value) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest),
            None => (String::new(), rest),
        };
        let value = value.strip_prefix(' ').expect("one blank before the value");
        let value: f64 = value.parse().expect("a number");
        assert!(value.is_finite() && (suffix != "_total" || value >= 0.0), "{line}");
        let before = self.series.insert(format!("{name}{labels}"), value);
        assert_eq!(before, None, "{line} stands there twice");
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Labels up to their closing brace, and what is behind it.
fn labels(mut rest: &str) -> (String, &str) {
    let mut known = BTreeSet::new();
    let mut all = Vec::new();
    loop {
        let (name, value) = rest.split_once("=\"").expect("a label has a value");
        assert!(is_name(name) && known.insert(name), "label {name:?}");
        let (value, behind) = quoted(value);
        all.push(format!("{name}=\"{value}\""));
        match behind.split_at(1) {
            (",", next) => rest = next,
            ("}", next) => return (format!("{{{}}}", all.join(",")), next),
            (other, _) => unreachable!("{other:?} behind a label"),
        }
    }
}

/// A label's value up to its closing quote, and what is behind it.
fn quoted(text: &str) -> (String, &str) {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    loop {
        match chars.next().expect("a closing quote").1 {
            '"' => return (value, chars.as_str()),
            '\\' => value.push(match chars.next().expect("something escaped").1 {
                'n' => '\n',
                escaped @ ('\\' | '"') => escaped,
                other => unreachable!("\\{other} means nothing"),
            }),
            c => value.push(c),
        }
    }
}

//! Walks a text against the tables of keys.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::torn::Headers;
use super::{DEFAULT, Document, Fault, LEVELS, Level, Section, unknown, value};
use crate::stack;
use crate::stem::{Table, general, table};
use crate::words::{meant, printable, quoted};
use crate::{Kind, Source, Spot, Value};

/// Mistakes that are told of one text.
pub(super) const MOST: usize = 256;

type Entry<'a> = (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>);

pub(super) fn read(source: &Arc<Source>) -> (Document, Vec<Fault>) {
    let (mut root, errors) = DeTable::parse_recoverable(&source.text);
    let mut broken = syntax(source, &errors);
    let headers = Headers::of(source);
    let whole = headers.whole(source, &broken);
    if let Some(whole) = &whole {
        let errors;
        (root, errors) = DeTable::parse_recoverable(whole);
        broken.retain(|fault| headers.has(fault.spot.line()));
        broken.extend(syntax(source, &errors));
    }
    let general = Section {
        table: &general::TABLE,
        name: "",
        spot: Spot::new(source, 0..0),
        extends: None,
        values: Vec::new(),
    };
    let torn = headers.hide(source, root.get_ref(), &broken);
    let document = Document { general, log: Vec::new(), sections: Vec::new(), stacks: Vec::new(), torn };
    let mut reading = Reading { source, document, faults: Vec::new() };
    reading.root(root.get_ref());
    reading.said_twice();
    let Reading { mut document, mut faults, .. } = reading;
    // What the parser made of a broken line says nothing about what was meant.
    faults.retain(|fault| broken.iter().all(|broken| broken.spot.line() != fault.spot.line()));
    faults.extend(broken);
    faults.sort_by_key(|fault| fault.spot.start());
    faults.truncate(MOST);
    document.sections.sort_by_key(|section| section.spot.start());
    (document, faults)
}

/// One fault for each line that is no TOML, in their order.
fn syntax(source: &Arc<Source>, errors: &[toml::de::Error]) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for error in errors.iter().take(MOST) {
        let spot = Spot::new(source, error.span().unwrap_or(0..0));
        let hint = if source.text[spot.start()..].starts_with("::") {
            "; a path such as \"shop::quote\" stands in quotes"
        } else {
            ""
        };
        faults.push(Fault::new(&[], format!("{}{hint}", error.message()), spot));
    }
    faults.sort_by_key(|fault| fault.spot.line());
    faults.dedup_by_key(|fault| fault.spot.line());
    faults
}

struct Reading<'a> {
    source: &'a Arc<Source>,
    document: Document,
    faults: Vec<Fault>,
}

impl Reading<'_> {
    fn spot(&self, span: Range<usize>) -> Spot {
        Spot::new(self.source, span)
    }

    fn fault(&mut self, path: &[&str], span: Range<usize>, message: String) {
        self.fault_at(path, self.spot(span), message);
    }

    fn fault_at(&mut self, path: &[&str], spot: Spot, message: String) {
        if self.faults.len() < MOST {
            self.faults.push(Fault::new(path, message, spot));
        }
    }

    fn root(&mut self, root: &DeTable<'_>) {
        for (key, value) in root {
            let stem = key.get_ref().as_ref();
            if stem == general::TABLE.name {
                self.general((key, value));
            } else if stem == stack::TABLE {
                self.stacks((key, value));
            } else if let Some(table) = table(stem) {
                self.stem(table, (key, value));
            } else {
                self.fault(&[stem], key.span(), unknown::stem(stem, value.get_ref()));
            }
        }
    }

    fn stem(&mut self, table: &'static Table, (key, value): Entry<'_>) {
        let Some(policies) = value.get_ref().as_table() else {
            let message = format!("this is a kind of policy: write `[{}.<name>]`", table.name);
            return self.fault(&[table.name], key.span(), message);
        };
        for (key, value) in policies {
            let name = key.get_ref().as_ref();
            match value.get_ref().as_table() {
                Some(_) if name.is_empty() => {
                    self.fault(&[table.name, name], key.span(), "a name cannot be empty".to_owned());
                }
                Some(keys) => {
                    let spot = self.spot(key.span());
                    self.section(table, name, spot, (&[table.name, name], keys));
                }
                None => {
                    let message = unknown::no_table(table, name, value.get_ref());
                    self.fault(&[table.name, name], key.span(), message);
                }
            }
        }
    }

    /// The tables of `[policy]`: in each of them one for each part of a stack.
    fn stacks(&mut self, (key, value): Entry<'_>) {
        let Some(stacks) = value.get_ref().as_table() else {
            return self.fault(&[stack::TABLE], key.span(), unknown::no_stack(None, value.get_ref()));
        };
        for (key, value) in stacks {
            let name = key.get_ref().as_ref();
            match value.get_ref().as_table() {
                Some(_) if name.is_empty() => {
                    self.fault(&[stack::TABLE, name], key.span(), "a name cannot be empty".to_owned());
                }
                Some(_) if name == DEFAULT => {
                    let message = "defaults are told by kind: `[retry.default]`".to_owned();
                    self.fault(&[stack::TABLE, name], key.span(), message);
                }
                Some(parts) if parts.is_empty() => {
                    let spot = self.spot(key.span());
                    self.document.stacks.push((name.to_owned(), spot));
                }
                Some(parts) => parts.iter().for_each(|part| self.part(name, part)),
                None => {
                    let message = unknown::no_stack(Some(name), value.get_ref());
                    self.fault(&[stack::TABLE, name], key.span(), message);
                }
            }
        }
    }

    fn part(&mut self, name: &str, (key, value): Entry<'_>) {
        let word = key.get_ref().as_ref();
        let path = [stack::TABLE, name, word];
        let Some(table) = stack::part(word) else {
            return self.fault(&path, key.span(), unknown::part(name, word, value.get_ref()));
        };
        let Some(keys) = value.get_ref().as_table() else {
            let key = table.keys.first().map_or("", |key| key.name);
            let message = format!("its settings are a table: `{word} = {{ {key} = … }}`");
            return self.fault(&path, value.span(), message);
        };
        let spot = self.spot(key.span());
        self.section(table, name, spot, (&path, keys));
    }

    fn section(
        &mut self,
        table: &'static Table,
        name: &str,
        spot: Spot,
        (path, keys): (&[&str], &DeTable<'_>),
    ) {
        let name = match value::kept(name) {
            Ok(name) => name,
            Err(message) => return self.fault_at(path, spot, message),
        };
        let mut section = Section { table, name, spot, extends: None, values: Vec::new() };
        for entry in keys {
            self.setting(&mut section, path, entry);
        }
        self.at_odds(&section, path);
        self.document.sections.push(section);
    }

    /// Keys of one section that choose between modes.
    fn at_odds(&mut self, section: &Section, path: &[&str]) {
        let Section { table, values, .. } = section;
        let spot =
            |key: &str| values.iter().find(|(at, ..)| table.keys[*at].name == key).map(|value| &value.2);
        for odds in table.at_odds(|key| spot(key).is_some()) {
            let Some(spot) = spot(odds.key) else { continue };
            let keys: Vec<_> = path.iter().copied().chain([odds.key]).collect();
            self.fault_at(&keys, spot.clone(), odds.message(odds.rival));
        }
    }

    fn setting(&mut self, section: &mut Section, path: &[&str], (key, value): Entry<'_>) {
        let (table, word) = (section.table, key.get_ref().as_ref());
        let path: Vec<&str> = path.iter().copied().chain([word]).collect();
        if word == "extends" {
            let parent = value.get_ref().as_str().ok_or_else(|| "it takes a name in quotes".to_owned());
            match parent.and_then(value::kept) {
                Ok(parent) => section.extends = Some((parent, self.spot(value.span()))),
                Err(message) => self.fault(&path, value.span(), message),
            }
            return;
        }
        match slot(table, word, value.get_ref()) {
            Some(Ok((place, held))) => section.values.push((place, held, self.spot(value.span()))),
            Some(Err(message)) => self.fault(&path, value.span(), message),
            None => self.fault(&path, key.span(), unknown::key(table, word, value.get_ref())),
        }
    }

    /// A policy of a stack may be told by its kind instead, but not in the same text.
    fn said_twice(&mut self) {
        let mut sections: Vec<&Section> = self.document.sections.iter().collect();
        sections.sort_by_key(|section| (section.table.name, section.name, section.spot.start()));
        let twice = sections
            .windows(2)
            .filter(|pair| (pair[0].table.name, pair[0].name) == (pair[1].table.name, pair[1].name));
        let fault = |pair: &[&Section]| {
            let message =
                format!("this policy has its settings in line {} already: join them", pair[0].spot.line());
            Fault::new(&[pair[1].table.name, pair[1].name], message, pair[1].spot.clone())
        };
        let faults: Vec<Fault> = twice.map(fault).take(MOST.saturating_sub(self.faults.len())).collect();
        self.faults.extend(faults);
    }

    fn general(&mut self, (key, value): Entry<'_>) {
        let table = &general::TABLE;
        let Some(keys) = value.get_ref().as_table() else {
            let message = "this is a table: write `[resilient]` above its keys".to_owned();
            return self.fault(&[table.name], key.span(), message);
        };
        self.document.general.spot = self.spot(key.span());
        for (key, value) in keys {
            let word = key.get_ref().as_ref();
            match slot(table, word, value.get_ref()) {
                Some(Ok((place, held))) => {
                    let spot = self.spot(value.span());
                    self.document.general.values.push((place, held, spot));
                }
                Some(Err(message)) => self.fault(&[table.name, word], value.span(), message),
                None if word == general::LOG => self.log((key, value)),
                None => {
                    self.fault(&[table.name, word], key.span(), unknown::general(word, value.get_ref()));
                }
            }
        }
    }

    fn log(&mut self, (key, value): Entry<'_>) {
        let path = [general::TABLE.name, general::LOG];
        let Some(events) = value.get_ref().as_table() else {
            let message = "it takes a table of events and their levels: `opened = \"error\"`".to_owned();
            return self.fault(&path, key.span(), message);
        };
        for (key, value) in events {
            let event = key.get_ref().as_ref();
            match value::of_toml(Kind::Word(LEVELS), value.get_ref()) {
                Ok(Value::Word(level)) => {
                    let spot = self.spot(key.span());
                    self.document.log.push(Level { event: event.to_owned(), level, spot });
                }
                Ok(_) => {}
                Err(message) => self.fault(&[path[0], path[1], event], value.span(), message),
            }
        }
    }
}

/// The place of the key in the table and what stands behind it, or what is wrong with that.
fn slot(table: &Table, word: &str, value: &DeValue<'_>) -> Option<Result<(usize, Value), String>> {
    choose(table, word, value.as_str(), |kind| value::of_toml(kind, value))
}

/// What a text means to the key of a table, if there is one.
///
/// The text has no quotes, as that of a variable.
#[must_use]
pub fn setting(table: &Table, word: &str, text: &str) -> Option<Result<(usize, Value), String>> {
    let read = choose(table, word, Some(text), |kind| value::of_text(kind, text))?;
    Some(read.map_err(printable))
}

/// Two places may go by one word, if they take different ones.
fn choose(
    table: &Table,
    word: &str,
    text: Option<&str>,
    read: impl Fn(Kind) -> Result<Value, String>,
) -> Option<Result<(usize, Value), String>> {
    let mut found = None;
    let places = || table.keys.iter().enumerate().filter(|(_, key)| key.name == word);
    for (place, key) in places() {
        let read = read(key.kind).map(|held| (place, held));
        if read.is_ok() {
            return Some(read);
        }
        found.get_or_insert(read);
    }
    if places().count() < 2 {
        return found;
    }
    let words: Vec<_> = places().filter_map(|(_, key)| key.kind.words()).flatten().copied().collect();
    let list = quoted(&words);
    let (text, meant) = (text.unwrap_or_default(), text.and_then(|text| meant(text, &words)));
    Some(Err(match meant {
        Some(meant) => format!("unknown word \"{text}\"; did you mean \"{meant}\"? All of them: {list}"),
        None => format!("it is one of {list}"),
    }))
}

//! Tables whose headers cannot be read.

use toml::de::DeTable;

use super::Fault;
use crate::Source;

/// How many a header has at most: `[policy.payments.retry]`.
const NAMES: usize = 3;

/// Lines that begin a table.
pub(super) struct Headers(Vec<usize>);

impl Headers {
    pub(super) fn of(source: &Source) -> Self {
        let lines = source.text.lines().zip(1..);
        let headers = lines.filter(|(line, _)| line.trim_start().starts_with('['));
        Self(headers.map(|(_, number)| number).collect())
    }

    pub(super) fn has(&self, line: usize) -> bool {
        self.0.binary_search(&line).is_ok()
    }

    /// The text without the tables whose headers are broken, if one is, and with all else in its place. What
    /// stands below such a header, the parser would take for part of another table, or for one of its own.
    pub(super) fn whole(&self, source: &Source, broken: &[Fault]) -> Option<String> {
        let broken: Vec<usize> = broken.iter().map(|fault| fault.spot.line()).collect();
        let headers = self.0.iter().zip(self.0.iter().skip(1).map(Some).chain([None]));
        let mut text = String::with_capacity(source.text.len());
        for (header, next) in headers.filter(|(header, _)| broken.binary_search(header).is_ok()) {
            let start = source.start_of(*header);
            let end = next.map_or(source.text.len(), |next| source.start_of(*next));
            text.push_str(&source.text[text.len()..start]);
            let blank = |byte| if byte == b'\n' { '\n' } else { ' ' };
            text.extend(source.text[start..end].bytes().map(blank));
        }
        if text.is_empty() {
            return None;
        }
        text.push_str(&source.text[text.len()..]);
        Some(text)
    }

    /// Whether there may be more in the text than the parser has found: it gives up at a key without a value,
    /// and takes all that follows for a text or a list that nobody closes.
    pub(super) fn hide(&self, source: &Source, root: &DeTable<'_>, broken: &[Fault]) -> bool {
        let no_setting = |line| self.has(line) || !source.line(line).contains('=');
        let overrun = || self.0.last().is_some_and(|last| last_key(root, NAMES) < source.start_of(*last));
        broken.iter().any(|fault| no_setting(fault.spot.line())) || (!broken.is_empty() && overrun())
    }
}

/// Where the last key of a table stands, or of one in it.
fn last_key(table: &DeTable<'_>, depth: usize) -> usize {
    let ends = table.iter().map(|(key, value)| {
        let inner = value.get_ref().as_table().filter(|_| depth > 1);
        inner.map_or(0, |inner| last_key(inner, depth - 1)).max(key.span().start)
    });
    ends.max().unwrap_or(0)
}

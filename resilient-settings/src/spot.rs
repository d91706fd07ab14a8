//! Texts that settings are read from, and places in them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::words;

/// Columns of a source line that are shown at most.
const WIDTH: usize = 120;

/// A text with settings, and what it is called.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
    /// Where lines end, so that a text full of mistakes takes no longer than it must.
    ends: Vec<usize>,
    before: Before,
}

/// How much stood before a part of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Before {
    bytes: usize,
    lines: usize,
    /// Characters of the line that the part begins in.
    columns: usize,
}

impl Source {
    /// A text, and what messages call it.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at).collect();
        Self { name: name.to_owned(), text: text.to_owned(), ends, before: Before::default() }
    }

    /// Where a line of it begins; they count from 1.
    pub(crate) fn start_of(&self, line: usize) -> usize {
        self.ends[..line - 1].last().map_or(0, |end| end + 1)
    }

    fn end_of(&self, line: usize) -> usize {
        self.ends.get(line - 1).copied().unwrap_or(self.text.len())
    }

    #[cfg(feature = "file")]
    pub(crate) fn line(&self, line: usize) -> &str {
        &self.text[self.start_of(line)..self.end_of(line)]
    }
}

/// A place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    source: Arc<Source>,
    span: Range<usize>,
}

impl Spot {
    /// A place; bytes outside or inside of a letter are taken for the nearest.
    #[must_use]
    pub fn new(source: &Arc<Source>, span: Range<usize>) -> Self {
        let text = &source.text;
        let boundary = |at: usize| {
            let at = at.min(text.len());
            (0..=at).rfind(|at| text.is_char_boundary(*at)).unwrap_or(0)
        };
        let start = boundary(span.start);
        Self { source: Arc::clone(source), span: start..boundary(span.end).max(start) }
    }

    /// What its text is called.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.source.name
    }

    /// From 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.source.before.lines + self.row() + 1
    }

    /// In characters, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.columns_cut() + self.source.text[self.row_start()..self.span.start].chars().count() + 1
    }

    /// Where in the text it begins.
    #[must_use]
    pub fn start(&self) -> usize {
        self.source.before.bytes + self.span.start
    }

    /// The place and its line, as the compiler shows them.
    #[must_use]
    pub const fn excerpt(&self) -> Excerpt<'_> {
        Excerpt(self)
    }

    /// The same place, with no more of its text than the excerpt shows.
    #[must_use]
    pub fn cut(&self) -> Self {
        let Source { name, text, before, .. } = &*self.source;
        let shown = self.shown();
        let before = Before {
            bytes: before.bytes + shown.start,
            lines: self.line() - 1,
            columns: self.columns_cut() + text[self.row_start()..shown.start].chars().count(),
        };
        let source =
            Source { name: name.clone(), text: text[shown.clone()].to_owned(), ends: Vec::new(), before };
        let span = self.span.start - shown.start..self.span.end.min(shown.end) - shown.start;
        Self { source: Arc::new(source), span }
    }

    /// Lines of the source before its own.
    fn row(&self) -> usize {
        self.source.ends.partition_point(|end| *end < self.span.start)
    }

    fn row_start(&self) -> usize {
        self.source.start_of(self.row() + 1)
    }

    fn row_end(&self) -> usize {
        self.source.end_of(self.row() + 1)
    }

    /// Characters of its line that the source lacks.
    fn columns_cut(&self) -> usize {
        if self.row() == 0 { self.source.before.columns } else { 0 }
    }

    /// What is shown of its line: a text without line breaks, made by a program, must not bury its one mistake.
    fn shown(&self) -> Range<usize> {
        let (text, start, end) = (&self.source.text, self.row_start(), self.row_end());
        let before = text[start..self.span.start].char_indices().rev().take(WIDTH / 2);
        let first = start + before.last().map_or(0, |(at, _)| at);
        first..text[first..end].char_indices().nth(WIDTH).map_or(end, |(at, _)| first + at)
    }
}

/// `resilient.toml:3:7`
impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", words::printable(self.file().to_owned()), self.line(), self.column())
    }
}

/// A place with its line and a caret below.
#[derive(Clone, Copy, Debug)]
pub struct Excerpt<'a>(&'a Spot);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(spot) = self;
        let (text, row) = (&spot.source.text, spot.shown());
        let shown: String = text[row.clone()].trim_end_matches('\r').chars().map(printable).collect();
        let before = text[row.start..spot.span.start].chars().count();
        let marked = text[spot.span.start..spot.span.end.min(row.end)].chars().count();
        let margin: String =
            shown.chars().take(before).map(|letter| if letter == '\t' { '\t' } else { ' ' }).collect();
        let carets = "^".repeat(marked.clamp(1, WIDTH.saturating_sub(before).max(1)));
        let number = spot.line().to_string();
        let gutter = " ".repeat(number.len());
        writeln!(f, "{gutter}--> {spot}")?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {shown}")?;
        write!(f, "{gutter} | {margin}{carets}")
    }
}

/// What stands in a file must not reach a terminal's controls.
fn printable(letter: char) -> char {
    if letter.is_control() && letter != '\t' { char::REPLACEMENT_CHARACTER } else { letter }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_cut_out_reads_as_before() {
        let long = "\u{e9}x".repeat(200);
        let texts = [
            "",
            "\n",
            "a = 1\r\nb = \u{1f600}\r\nc",
            "\tx\n\n\u{1b}[2J y\n",
            &long,
            &format!("{long}\n{long}"),
        ];
        for text in texts {
            let source = Arc::new(Source::new("a.toml", text));
            let places =
                (0..=text.len()).flat_map(|start| [0, 1, 7, 500].map(|length| start..start + length));
            places.for_each(|place| reads_alike(&Spot::new(&source, place)));
        }
    }

    fn reads_alike(spot: &Spot) {
        let cut = spot.cut();
        assert_eq!(cut.excerpt().to_string(), spot.excerpt().to_string());
        assert_eq!((cut.start(), cut.line(), cut.column()), (spot.start(), spot.line(), spot.column()));
        assert_eq!(cut.cut(), cut);
        assert!(cut.source.text.chars().count() <= WIDTH);
    }
}

//! Texts that settings are read from, and places in them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Columns of a source line that are shown at most.
const WIDTH: usize = 120;

/// A text with settings, and what it is called.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
    /// Where lines end, so that a text full of mistakes takes no longer than it must.
    ends: Vec<usize>,
}

impl Source {
    /// A text, and what messages call it.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at).collect();
        Self { name: name.to_owned(), text: text.to_owned(), ends }
    }
}

/// A place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    source: Arc<Source>,
    span: Range<usize>,
}

impl Spot {
    /// Bytes that lie outside, or inside of a letter, are taken for the nearest that do not.
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
        self.source.ends.partition_point(|end| *end < self.span.start) + 1
    }

    /// In characters, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.source.text[self.line_start()..self.span.start].chars().count() + 1
    }

    /// Where in the text it begins.
    #[must_use]
    pub const fn start(&self) -> usize {
        self.span.start
    }

    /// The place and its line, as the compiler shows them.
    #[must_use]
    pub const fn excerpt(&self) -> Excerpt<'_> {
        Excerpt(self)
    }

    fn line_start(&self) -> usize {
        let before = self.source.ends[..self.line() - 1].last();
        before.map_or(0, |end| end + 1)
    }

    fn line_end(&self) -> usize {
        self.source.ends.get(self.line() - 1).copied().unwrap_or(self.source.text.len())
    }
}

/// `resilient.toml:3:7`
impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file(), self.line(), self.column())
    }
}

/// A place with its line and a caret below.
#[derive(Clone, Copy, Debug)]
pub struct Excerpt<'a>(&'a Spot);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(spot) = self;
        let line = spot.source.text[spot.line_start()..spot.line_end()].trim_end_matches('\r');
        let before = spot.column() - 1;
        let marked = spot.source.text[spot.span.start..spot.span.end.min(spot.line_end())].chars().count();
        // A text without line breaks, made by a program, must not bury its one mistake.
        let skipped = before.saturating_sub(WIDTH / 2);
        let shown: String = line.chars().skip(skipped).take(WIDTH).map(printable).collect();
        let margin: String = shown
            .chars()
            .take(before - skipped)
            .map(|letter| if letter == '\t' { '\t' } else { ' ' })
            .collect();
        let carets = "^".repeat(marked.clamp(1, WIDTH.saturating_sub(before - skipped).max(1)));
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

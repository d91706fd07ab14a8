//! Where a setting comes from.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use resilient_settings::Spot;
use resilient_settings::words::printable;

use crate::function::Function;

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Nobody wrote it.
    BuiltIn,
    /// The attribute of a function.
    Attribute {
        /// Source file.
        file: &'static str,
        /// Line of the function.
        line: u32,
    },
    /// Code that configures.
    Code {
        /// Source file.
        file: &'static str,
        /// Its line.
        line: u32,
    },
    /// A file, or a text under a name.
    File(Place),
    /// An environment variable.
    Variable {
        /// Its name.
        name: Arc<str>,
    },
}

/// A place in a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Place(pub(super) Spot);

impl Origin {
    #[track_caller]
    pub(crate) const fn code() -> Self {
        let here = Location::caller();
        Self::Code { file: here.file(), line: here.line() }
    }

    /// Whether it was said of the attributes' names, and not by them.
    pub(super) const fn is_configured(&self) -> bool {
        !matches!(self, Self::BuiltIn | Self::Attribute { .. })
    }

    pub(crate) const fn attribute(function: &Function) -> Self {
        Self::Attribute { file: function.file(), line: function.line() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built in"),
            Self::Attribute { file, line } => write!(f, "attribute at {file}:{line}"),
            Self::Code { file, line } => write!(f, "code at {file}:{line}"),
            Self::File(place) => write!(f, "{}:{}", printable(place.file().to_owned()), place.line()),
            Self::Variable { name } => write!(f, "variable {}", printable(name.to_string())),
        }
    }
}

impl Place {
    /// The same place without the rest of its file, which whoever keeps a fault need not keep.
    pub(super) fn cut(&mut self) {
        self.0 = self.0.cut();
    }

    /// The file as it was named, or the name of the text.
    #[must_use]
    pub fn file(&self) -> &str {
        self.0.file()
    }

    /// Its line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.0.line()
    }

    /// The column in characters, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.0.column()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({})", self.0)
    }
}

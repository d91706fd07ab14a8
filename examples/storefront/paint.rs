//! Colours, where somebody sees them.

use std::io::{IsTerminal, stdout};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Color {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

/// Plain when piped, or when `NO_COLOR` is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    pub(crate) fn detect() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { on: stdout().is_terminal() && !unwanted }
    }

    pub(crate) fn color(self, color: Color, text: &str) -> String {
        self.code(color as u8, text)
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.code(1, text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.code(2, text)
    }

    fn code(self, code: u8, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

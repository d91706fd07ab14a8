//! `include_config!`: a configuration file as a part of the program.

use crate::configure::Configure;

/// A configuration file that was checked when the program was compiled.
///
/// [`include_config!`](crate::include_config) makes it, [`Configure::embedded`] takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedConfig {
    name: &'static str,
    text: &'static str,
}

impl EmbeddedConfig {
    /// The path as it was written.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What stands in the file.
    #[must_use]
    pub const fn text(&self) -> &'static str {
        self.text
    }
}

/// What the macro makes.
#[must_use]
pub const fn embedded((name, text): (&'static str, &'static str)) -> EmbeddedConfig {
    EmbeddedConfig { name, text }
}

impl Configure {
    /// Adds a file that is a part of the program.
    ///
    /// What is wrong with it by itself has stopped the compiler; that its names are used, and what it says
    /// together with other layers, is checked by [`install`](Self::install), as for any file.
    ///
    /// ```ignore
    /// configure().embedded(include_config!("resilient.toml")).file("/etc/shop.toml").install()?;
    /// ```
    pub fn embedded(self, config: EmbeddedConfig) -> Self {
        self.text(config.name, config.text)
    }
}

/// Embeds a configuration file and checks it when compiling.
///
/// The path is a text in quotes and begins at the folder of the package's `Cargo.toml`. Everything that is wrong with
/// the file is an error of the compiler, with the line in the file. What a section extends has to stand in the
/// same file. The program is compiled again when the file changes.
///
/// It is an [`EmbeddedConfig`], a layer for [`Configure::embedded`].
///
/// ```compile_fail
/// let config = resilient_runtime::include_config!("no such file.toml");
/// ```
#[macro_export]
macro_rules! include_config {
    ($($path:tt)*) => {
        $crate::__private::embedded($crate::__private::__include_config!($($path)*))
    };
}

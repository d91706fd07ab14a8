//! `configure()…install()`: settings by name, laid over the attributes, all faults at once.

mod attributes;
mod check;
mod explain;
mod faults;
#[cfg(feature = "config")]
mod files;
mod general;
mod laid;
mod merge;
mod origin;
#[cfg(feature = "config")]
mod reload;
mod sources;
mod timing;
mod used;
#[cfg(feature = "config")]
mod variables;

use std::collections::BTreeSet;

use resilient_settings::{Value, Written, intern};

pub(crate) use self::attributes::Clash;
pub use self::explain::{Explained, Explanation};
pub use self::faults::{ConfigError, ConfigFault};
pub use self::general::OnUnknownPolicy;
pub(crate) use self::laid::Laid;
pub(crate) use self::merge::{Merged, in_force, merge};
pub use self::origin::{Origin, Place};
#[cfg(feature = "config")]
pub(crate) use self::reload::Watching;
#[cfg(feature = "config")]
pub use self::reload::{ConfigChange, reload};
use self::sources::{Section, Source};
use crate::events;
use crate::policy::{STEMS, Stem};
use crate::registry::registry;

/// Settings added at start-up, in the order they were added, and what came of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers {
    sources: Vec<Source>,
    expected: BTreeSet<&'static str>,
    pub(crate) events: events::Settings,
    #[cfg(any(feature = "trace", feature = "latency"))]
    pub(crate) watch: crate::watch::Settings,
    #[cfg(feature = "config")]
    on_hangup: bool,
    /// What the files held when they were last judged, well or not.
    #[cfg(feature = "config")]
    judged: std::sync::Arc<[sources::Content]>,
    /// What the sources say, as they were last read.
    pub(crate) said: Said,
}

/// What sources say.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    sections: Vec<Section>,
    /// Stacks of which nothing but the name is said.
    stacks: Vec<(String, Origin)>,
    general: Laid,
    pub(crate) events: events::Settings,
    /// Whether a text hides what it says of others, so that nobody knows what is missing.
    torn: bool,
}

/// Settings by policy name, to be put in force together.
///
/// Weakest first: the built-in default, `[<kind>.default]` of a file, the attribute's arguments, then what is
/// added here, in order. A key that nobody writes here keeps the attribute's value.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing changes before `install`"]
pub struct Configure {
    pub(crate) layers: Layers,
}

/// Starts a configuration of named policies.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Fault, configure, timeout};
///
/// #[timeout("2s", name = "quotes")]
/// async fn quote() -> Result<u32, Fault<()>> {
///     Ok(42)
/// }
///
/// # fn main() -> Result<(), resilient_runtime::ConfigError> {
/// configure().timeout("quotes", |t| t.limit(Duration::from_millis(300))).install()?;
///
/// let error = configure().timeout("qoutes", |t| t).install().unwrap_err();
/// assert!(error.to_string().contains("did you mean `quotes`?"));
/// # Ok(())
/// # }
/// ```
pub fn configure() -> Configure {
    Configure::default()
}

impl Configure {
    #[track_caller]
    pub(crate) fn with(mut self, stem: &'static Stem, name: &str, written: &Written) -> Self {
        let section = Section::of_code(stem, intern(name), written, &Origin::code());
        self.layers.sources.push(Source::Section(Box::new(section)));
        self
    }

    #[track_caller]
    fn general(mut self, key: usize, value: Value) -> Self {
        self.layers.sources.push(Source::General(key, value, Origin::code()));
        self
    }

    /// Declares a name that only code made by hand uses.
    ///
    /// Any other name has to belong to an annotated function.
    pub fn expect(mut self, name: &str) -> Self {
        self.layers.expected.insert(intern(name));
        self
    }

    /// Puts everything in force, or nothing.
    ///
    /// Policies change in place and keep what they have learned. A second `install` replaces
    /// the first: a key it no longer names falls back to the attribute.
    ///
    /// Files are read here, so this blocks for as long as that takes.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every fault there is: names that no function uses, values out of
    /// range, keys that do not go together, functions that disagree about a name.
    pub fn install(self) -> Result<(), ConfigError> {
        let world = registry().0;
        let contents = self.layers.contents();
        let check::Checked { layers, merged, warnings } = check::check(world, self.layers, &contents)?;
        warnings.iter().for_each(ConfigFault::warn);
        let policies = merged.len();
        world.replace(layers, merged, None);
        #[cfg(feature = "config")]
        reload::watch(world);
        let (stem, name) = events::CONFIG;
        world.bus.emit(stem, name, None, &events::EventKind::ConfigLoaded { policies });
        Ok(())
    }
}

/// The value as an attribute and a file have it behind this key.
pub(crate) fn shown(stem: &str, key: &str, value: Value) -> String {
    let key = kind(stem).and_then(|stem| stem.keys.iter().find(|known| known.name == key));
    key.map_or_else(|| value.to_string(), |key| key.kind.shown(value))
}

pub(crate) fn kind(stem: &str) -> Option<&'static Stem> {
    STEMS.iter().copied().find(|kind| kind.name == stem)
}

//! `inventory()`: every guarded function, and what its policies go by now.

use std::fmt;
use std::io::Write as _;

use resilient_settings::Value;
use resilient_settings::words::printable;

use crate::configure::{Merged, in_force, kind, shown};
use crate::function::{Function, Layer};
use crate::record::functions;

/// What guards the program, as of when it was asked for.
///
/// Its `Display` is the list that [`print_inventory`] prints.
#[derive(Clone, Debug)]
pub struct Inventory {
    functions: Vec<GuardedFunction>,
}

/// Lists every annotated function with its policies and their settings.
///
/// The settings are those in force now: what the attributes say, changed by what was installed. A key that
/// nobody wrote has its default and is not listed.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Fault, configure, inventory, retry, timeout};
///
/// #[retry(max = 3)]
/// #[timeout("2s", name = "prices")]
/// async fn price_of_tea() -> Result<u32, Fault<()>> {
///     Ok(42)
/// }
///
/// # fn main() -> Result<(), resilient_runtime::ConfigError> {
/// configure().timeout("prices", |t| t.limit(Duration::from_millis(300))).install()?;
///
/// let inventory = inventory();
/// let price = inventory.functions().iter().find(|it| it.path().ends_with("::price_of_tea")).unwrap();
/// let stack: Vec<String> = price.layers().iter().map(ToString::to_string).collect();
/// assert_eq!(stack, ["retry max = 3", "timeout `prices` limit = \"300ms\""]);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn inventory() -> Inventory {
    let merged = in_force();
    let functions = functions().iter().map(|function| GuardedFunction::new(function, &merged)).collect();
    Inventory { functions }
}

/// Prints the [`inventory()`] to standard output, for the log of a program's start.
///
/// Where standard output is no log, `tracing::info!("{}", inventory())` says the same. An output that is closed
/// is not written to.
pub fn print_inventory() {
    let text = format!("{}\n", inventory());
    // Not `println!`, which panics when nobody reads any more.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

impl Inventory {
    /// The guarded functions, in the order of their paths.
    #[must_use]
    pub fn functions(&self) -> &[GuardedFunction] {
        &self.functions
    }
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.functions.len() {
            0 => return write!(f, "no function is guarded"),
            1 => write!(f, "1 guarded function")?,
            many => write!(f, "{many} guarded functions")?,
        }
        self.functions.iter().try_for_each(|function| write!(f, "\n{function}"))
    }
}

/// One annotated function with its policies.
#[derive(Clone, Debug)]
pub struct GuardedFunction {
    function: &'static Function,
    layers: Vec<GuardedLayer>,
}

impl GuardedFunction {
    fn new(function: &'static Function, merged: &Merged) -> Self {
        let layers = function.layers().iter().map(|layer| GuardedLayer::new(layer, merged)).collect();
        Self { function, layers }
    }

    /// Its path: `module::function`, `module::Type::method` or `module::<Type as Trait>::method`.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.function.path()
    }

    /// Source file it stands in.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.function.file()
    }

    /// Line of the source file.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.function.line()
    }

    /// Its policies, outermost first.
    #[must_use]
    pub fn layers(&self) -> &[GuardedLayer] {
        &self.layers
    }
}

impl fmt::Display for GuardedFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{})", self.path(), self.file(), self.line())?;
        self.layers.iter().try_for_each(|layer| write!(f, "\n    {layer}"))
    }
}

/// One policy of a guarded function, with what it goes by.
#[derive(Clone, Debug)]
pub struct GuardedLayer {
    layer: &'static Layer,
    settings: Vec<(&'static str, Value)>,
}

impl GuardedLayer {
    fn new(layer: &'static Layer, merged: &Merged) -> Self {
        Self { layer, settings: settings(layer, merged).unwrap_or_else(|| layer.written().to_vec()) }
    }

    /// Kind of policy: the attribute's name.
    #[must_use]
    pub const fn stem(&self) -> &'static str {
        self.layer.stem()
    }

    /// Name of the policy, which is the function's path where none is written.
    #[must_use]
    pub const fn policy(&self) -> &'static str {
        self.layer.policy_name()
    }

    /// Keys that somebody wrote, with the values in force.
    ///
    /// Those of the attribute come first, in its order.
    #[must_use]
    pub fn settings(&self) -> &[(&'static str, Value)] {
        &self.settings
    }
}

impl fmt::Display for GuardedLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.stem())?;
        if let Some(name) = self.layer.name() {
            write!(f, " `{}`", printable(name.to_owned()))?;
        }
        for (index, (key, value)) in self.settings.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma} {key} = {}", shown(self.stem(), key, *value))?;
        }
        Ok(())
    }
}

fn settings(layer: &Layer, merged: &Merged) -> Option<Vec<(&'static str, Value)>> {
    let stem = kind(layer.stem())?;
    let written = &merged.get(&(stem.name, layer.policy_name()))?.written;
    let slots: Vec<_> = layer.written().iter().map(|&(key, value)| stem.slot(key, value)).collect();
    let of_attribute = layer.written().iter().zip(&slots).filter_map(|(&(key, value), slot)| match slot {
        Some(slot) => Some((key, written.get(*slot)?)),
        // It is code.
        None => Some((key, value)),
    });
    let elsewhere = stem.keys.iter().enumerate().filter(|(slot, _)| !slots.contains(&Some(*slot)));
    let elsewhere = elsewhere.filter_map(|(slot, key)| Some((key.name, written.get(slot)?)));
    Some(of_attribute.chain(elsewhere).collect())
}

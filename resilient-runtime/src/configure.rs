//! `configure()…install()`: settings by name, merged over the attributes, all faults at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use resilient_settings::{Complaint, Kind, Value, Written, intern};

use crate::events;
use crate::function::{Function, Layer};
use crate::names::nearest;
use crate::policy::{STEMS, Stem};
use crate::registry::{annotated, functions, registry};

/// Settings added at start-up, in the order they were added.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers {
    entries: Vec<Entry>,
    expected: BTreeSet<&'static str>,
    pub(crate) events: events::Settings,
    #[cfg(any(feature = "trace", feature = "latency"))]
    pub(crate) watch: crate::watch::Settings,
}

#[derive(Clone, Debug)]
struct Entry {
    stem: &'static Stem,
    name: &'static str,
    written: Written,
}

/// Settings in force, by stem and name.
pub(crate) type Merged = BTreeMap<(&'static str, &'static str), Written>;

/// Settings by policy name, to be put in force together.
///
/// Weakest first: the built-in default, the attribute's arguments, then what is added here, in
/// order. A key that nobody writes here keeps the attribute's value.
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
    pub(crate) fn with(mut self, stem: &'static Stem, name: &str, written: &Written) -> Self {
        self.layers.entries.push(Entry { stem, name: intern(name), written: *written });
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
    /// # Errors
    ///
    /// [`ConfigError`] with every fault there is: names that no function uses, values out of
    /// range, keys that do not go together, functions that disagree about a name.
    pub fn install(self) -> Result<(), ConfigError> {
        let mut faults = self.layers.faults();
        let (merged, clashes) = merge(&self.layers);
        faults.extend(clashes.into_iter().map(|clash| ConfigFault {
            stem: clash.stem,
            name: clash.name,
            key: Some(clash.key),
            message: clash.to_string(),
        }));
        for (&(stem, name), written) in &merged {
            faults.extend(check(stem, name, written));
        }
        faults.extend(self.layers.events.faults());
        #[cfg(feature = "latency")]
        faults.extend(self.layers.watch.faults());
        faults.extend(functions().iter().flat_map(|function| timing(function, &merged)));
        #[cfg(feature = "health")]
        faults.extend(crate::health::repeated());
        if !faults.is_empty() {
            return Err(ConfigError { faults });
        }
        registry().0.replace(self.layers, &merged);
        Ok(())
    }
}

fn check(stem: &'static str, name: &'static str, written: &Written) -> Vec<ConfigFault> {
    let Some(kind) = kind(stem) else { return Vec::new() };
    let complaints = (kind.check)(written).into_iter();
    complaints.map(|Complaint { key, message }| ConfigFault { stem, name, key: Some(key), message }).collect()
}

/// What can never fit in one function: waits or single attempts that reach the time for all.
///
/// The attributes are checked when they are compiled; this is for what is installed over them.
fn timing(function: &'static Function, merged: &Merged) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    let mut bound: Option<(&Layer, Duration)> = None;
    let mut repeats = false;
    for layer in function.layers() {
        let Some(stem) = kind(layer.stem()) else { continue };
        let Some(written) = merged.get(&(stem.name, layer.policy_name())) else { continue };
        let mut complain = |time, what: &str| {
            let Some((above, limit)) = bound.filter(|(_, limit)| *limit <= time) else { return };
            let (stem, name) = (above.stem(), above.policy_name());
            let message = format!("{limit:?} for all of `{}`, but {what} {time:?}", function.path());
            faults.push(ConfigFault { stem, name, key: Some("limit"), message });
        };
        if let Some(waits) = (stem.least_waits)(written) {
            complain(waits, &format!("its {} waits at least", layer.stem()));
            repeats = true;
        }
        if let Some(limit) = (stem.limit)(written) {
            if repeats {
                complain(limit, "each attempt may take");
            }
            if bound.is_none_or(|(_, tightest)| limit < tightest) {
                (bound, repeats) = (Some((layer, limit)), false);
            }
        }
    }
    faults
}

impl Layers {
    /// What is wrong with the entries themselves: names nobody uses, values out of range.
    fn faults(&self) -> Vec<ConfigFault> {
        self.entries.iter().flat_map(|entry| self.faults_of(entry)).collect()
    }

    fn faults_of(&self, entry: &Entry) -> Vec<ConfigFault> {
        let Entry { stem, name, written } = entry;
        let fault = |key, message| ConfigFault { stem: stem.name, name, key, message };
        let used = self.used_names(stem);
        let mut faults = Vec::new();
        if !used.contains(name) && !self.expected.contains(name) {
            faults.push(fault(None, unknown(stem, name, &used)));
        }
        for (index, key) in stem.keys.iter().enumerate() {
            if let Some(message) = written.get(index).and_then(|value| key.kind.complain(value)) {
                faults.push(fault(Some(key.name), message));
            }
        }
        faults
    }

    /// Names of functions' policies, and of policies that others name or share unless they name one.
    fn used_names(&self, stem: &Stem) -> BTreeSet<&'static str> {
        let layers = || annotated().flat_map(Function::layers);
        let own = layers().filter(|layer| layer.stem() == stem.name).map(Layer::policy_name);
        let written = layers().filter_map(|layer| {
            let slot = reference(kind(layer.stem())?, stem)?;
            let key = kind(layer.stem())?.keys[slot];
            let value = layer.written().iter().find(|(written, _)| *written == key.name);
            key.kind.referred(value.map(|(_, value)| *value))
        });
        let installed = self.entries.iter().filter_map(|entry| {
            let slot = reference(entry.stem, stem)?;
            entry.stem.keys[slot].kind.referred(Some(entry.written.get(slot)?))
        });
        own.chain(written).chain(installed).chain(by_hand(stem)).collect()
    }
}

/// Names of policies that code by hand has made known.
fn by_hand(stem: &Stem) -> Vec<&'static str> {
    #[cfg(feature = "health")]
    if stem.name == crate::health::STEM.name {
        return crate::health::names();
    }
    let _ = stem;
    Vec::new()
}

pub(crate) fn kind(stem: &str) -> Option<&'static Stem> {
    STEMS.iter().copied().find(|kind| kind.name == stem)
}

/// Where `from` names a policy of the kind `to`.
fn reference(from: &Stem, to: &Stem) -> Option<usize> {
    from.keys.iter().position(|key| key.name == to.name && matches!(key.kind, Kind::Name { .. }))
}

fn unknown(stem: &Stem, name: &str, used: &BTreeSet<&'static str>) -> String {
    match nearest(name, used.iter().copied()) {
        Some(known) => format!("no function has a {} of this name; did you mean `{known}`?", stem.name),
        None if used.is_empty() => {
            format!("no function has a {}; `expect` it if code by hand uses it", stem.name)
        }
        None => {
            let known: Vec<_> = used.iter().copied().collect();
            format!("no function has a {} of this name; there are `{}`", stem.name, known.join("`, `"))
        }
    }
}

/// Two functions that write different values for one name.
pub(crate) struct Clash {
    stem: &'static str,
    name: &'static str,
    key: &'static str,
    first: Claim,
    second: Claim,
}

#[derive(Clone, Copy)]
struct Claim {
    key: &'static str,
    value: Value,
    function: &'static Function,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, function } = self;
        write!(f, "`{key} = {value}` in `{}` ({}:{})", function.path(), function.file(), function.line())
    }
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, but {}", self.first, self.second)
    }
}

impl Clash {
    pub(crate) fn warn(&self) {
        let Self { stem, name, .. } = self;
        tracing::warn!(target: "resilient", stem, policy = name, "{stem} `{name}`: {self}; the first one holds");
    }
}

/// Lays what is installed over what the attributes say.
pub(crate) fn merge(layers: &Layers) -> (Merged, Vec<Clash>) {
    let (mut merged, clashes) = attributes();
    for Entry { stem, name, written } in &layers.entries {
        let policy = merged.entry((stem.name, name)).or_insert(Written::NOTHING);
        for index in 0..stem.keys.len() {
            if let Some(value) = written.get(index) {
                yield_to(policy, stem, index);
                policy.put(index, Some(value));
            }
        }
    }
    (merged, clashes)
}

/// What all policies of this world go by.
pub(crate) fn in_force() -> Merged {
    let installed = registry().0.installed().clone();
    merge(&installed).0
}

/// Takes away what the key at `index` excludes: a stronger layer has changed the mode.
fn yield_to(policy: &mut Written, stem: &Stem, index: usize) {
    for excluded in excluded_by(stem, stem.keys[index].name) {
        if let Some(excluded) = position(stem, excluded) {
            policy.put(excluded, None);
        }
    }
}

fn excluded_by(stem: &Stem, key: &str) -> impl Iterator<Item = &'static str> {
    let pairs = stem.excludes.iter().flat_map(|&(one, other)| [(one, other), (other, one)]);
    pairs.filter(move |(side, _)| side.contains(&key)).flat_map(|(_, other)| other.iter().copied())
}

fn position(stem: &Stem, key: &str) -> Option<usize> {
    stem.keys.iter().position(|known| known.name == key)
}

/// What all annotated functions say, in the order of their paths; the first one holds.
fn attributes() -> (Merged, Vec<Clash>) {
    let mut said = Said::default();
    for function in annotated() {
        for layer in function.layers() {
            let Some(stem) = kind(layer.stem()) else { continue };
            let name = layer.policy_name();
            said.merged.entry((stem.name, name)).or_insert(Written::NOTHING);
            for &(key, value) in layer.written() {
                said.claim(stem, name, Claim { key, value, function });
            }
        }
    }
    (said.merged, said.clashes)
}

#[derive(Default)]
struct Said {
    merged: Merged,
    claims: BTreeMap<(&'static str, &'static str, &'static str), Claim>,
    clashes: Vec<Clash>,
}

impl Said {
    fn claim(&mut self, stem: &'static Stem, name: &'static str, claim: Claim) {
        let key = claim.key;
        let Some(slot) = position(stem, key) else { return };
        let rival = excluded_by(stem, key)
            .chain([key])
            .filter_map(|rival| self.claims.get(&(stem.name, name, rival)))
            .find(|rival| rival.disputes(&claim));
        if let Some(&first) = rival {
            self.clashes.push(Clash { stem: stem.name, name, key, first, second: claim });
            return;
        }
        self.claims.entry((stem.name, name, key)).or_insert(claim);
        self.merged.entry((stem.name, name)).or_insert(Written::NOTHING).put(slot, Some(claim.value));
    }
}

impl Claim {
    fn disputes(&self, other: &Self) -> bool {
        !std::ptr::eq(self.function, other.function) && (self.key != other.key || self.value != other.value)
    }
}

/// One thing wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigFault {
    /// Kind of policy: `"retry"`, `"circuit_breaker"`; or `"events"`.
    pub stem: &'static str,
    /// Name of the policy, or of the event.
    pub name: &'static str,
    /// Key at fault, unless it is the name.
    pub key: Option<&'static str>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.stem, self.name)?;
        match self.key {
            Some(key) => write!(f, ", {key}: {}", self.message),
            None => write!(f, ": {}", self.message),
        }
    }
}

/// A configuration that was refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    faults: Vec<ConfigFault>,
}

impl ConfigError {
    /// Everything that is wrong with it.
    #[must_use]
    pub fn faults(&self) -> &[ConfigFault] {
        &self.faults
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration was not installed:")?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for ConfigError {}

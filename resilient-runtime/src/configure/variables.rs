//! Settings from environment variables.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use resilient_settings::Value;
use resilient_settings::file::{LEVELS, setting};
use resilient_settings::stem::{Table, general};
use resilient_settings::words::{listed, nearest, quoted};

use super::sources::{Section, Source, is_default};
use super::used::Names;
use super::{ConfigFault, Configure, Laid, Layers, Origin, Said};
use crate::policy::{STEMS, Stem};

/// What the name of each variable begins with.
const PREFIX: &str = "RESILIENT__";
/// The variable that names files.
const FILES: &str = "RESILIENT_CONFIG";

/// Variables with our prefix, in the order of their names.
#[derive(Clone, Debug)]
pub(super) struct Variables {
    all: Arc<[(Arc<str>, String)]>,
    /// Levels of events that code set before: what it says later is stronger.
    levels: usize,
}

impl Configure {
    /// Adds the settings of the program's environment.
    ///
    /// First come the files that `RESILIENT_CONFIG` names, with commas between them and the later one stronger;
    /// then the variables `RESILIENT__<KIND>__<NAME>__<KEY>`, as in
    /// `RESILIENT__CIRCUIT_BREAKER__PAYMENTS__FAILURE_THRESHOLD=3`. Case does not matter, and all but letters and
    /// digits in a policy's name is written `_`. `DEFAULT` for the name means all policies of the kind.
    /// `RESILIENT__ENABLED=false` and the like set what a file says under `[resilient]`, and
    /// `RESILIENT__LOG__OPENED=error` the level of an event.
    ///
    /// A variable that matches nothing is a fault. They are read now, once.
    pub fn env(self) -> Self {
        self.variables(env::vars_os())
    }

    /// Adds settings of these variables instead of the [environment](Self::env)'s.
    ///
    /// ```
    /// use resilient_runtime::{Fault, configure, timeout};
    ///
    /// #[timeout("2s", name = "quotes")]
    /// async fn quote() -> Result<u32, Fault<()>> {
    ///     Ok(42)
    /// }
    ///
    /// # fn main() -> Result<(), resilient_runtime::ConfigError> {
    /// configure().env_from([("RESILIENT__TIMEOUT__QUOTES__LIMIT", "300ms")]).install()?;
    ///
    /// let error = configure().env_from([("RESILIENT__TIMEOUT__QUOTE__LIMIT", "1s")]).install().unwrap_err();
    /// assert!(error.to_string().contains("did you mean `RESILIENT__TIMEOUT__QUOTES__LIMIT`?"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn env_from<K, V>(self, variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        self.variables(variables)
    }

    fn variables(mut self, variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let levels = self.layers.events.levels.len();
        let mut all = Vec::new();
        for (name, value) in variables {
            let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
            if name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX)) {
                all.push((Arc::from(name.as_ref()), value.into_owned()));
            } else if name == FILES {
                self.layers.add_files(&value);
            }
        }
        all.sort();
        self.layers.sources.push(Source::Variables(Variables { all: all.into(), levels }));
        self
    }
}

impl Layers {
    /// Adds the files that a variable names.
    fn add_files(&mut self, paths: &str) {
        for path in paths.split(',').map(str::trim).filter(|path| !path.is_empty()) {
            self.add_file(Path::new(path), Origin::Variable { name: FILES.into() });
        }
    }
}

/// Takes in what the variables say, and gives what is wrong with them.
pub(super) fn read(variables: &Variables, known: &Names, said: &mut Said) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    let mut set = Set::default();
    for (name, value) in variables.all.iter() {
        let variable = Variable { name, value };
        if let Err(message) = variable.read(known, &mut set) {
            faults.push(ConfigFault::new([], message, variable.origin()));
        }
    }
    let Set { sections, general, log } = set;
    said.sections.extend(sections);
    said.general.over(&general::TABLE, &general);
    let levels = log.iter().map(|(event, (level, origin))| (event.as_str(), *level, origin.clone()));
    said.events.insert_levels(variables.levels, levels);
    faults
}

/// What all variables say: together they are one layer, as a file is.
struct Set {
    sections: Vec<Section>,
    general: Laid,
    log: BTreeMap<String, (&'static str, Origin)>,
}

impl Default for Set {
    fn default() -> Self {
        Self { sections: Vec::new(), general: Laid::new(), log: BTreeMap::new() }
    }
}

impl Set {
    fn section(&mut self, stem: &'static Stem, name: &'static str, origin: Origin) -> &mut Section {
        let known = self.sections.iter().position(|it| it.stem.name == stem.name && it.name == name);
        let place = known.unwrap_or_else(|| {
            let mut section = Section::new(stem, name, origin);
            section.default = is_default(stem, name);
            self.sections.push(section);
            self.sections.len() - 1
        });
        &mut self.sections[place]
    }
}

/// What another variable has said already cannot be said again: which one would hold?
fn once(before: Option<&Origin>) -> Result<(), String> {
    match before {
        Some(Origin::Variable { name }) => Err(format!("`{name}` means the same: keep one of them")),
        _ => Ok(()),
    }
}

/// One variable.
struct Variable<'a> {
    name: &'a Arc<str>,
    value: &'a str,
}

impl Variable<'_> {
    fn origin(&self) -> Origin {
        Origin::Variable { name: Arc::clone(self.name) }
    }

    fn read(&self, known: &Names, set: &mut Set) -> Result<(), String> {
        let lower = self.name[PREFIX.len()..].to_lowercase();
        let parts: Vec<_> = lower.split("__").collect();
        match parts.as_slice() {
            [key] => {
                let (key, value) = self.setting(&general::TABLE, &[], key)?;
                once(set.general.origin(key))?;
                set.general.put(key, value, self.origin());
            }
            ["log", event] => {
                let level = self.value.to_lowercase();
                let level = LEVELS.iter().copied().find(|known| *known == level);
                let level = level.ok_or_else(|| format!("it takes one of {}", quoted(LEVELS)))?;
                once(set.log.get(*event).map(|(_, origin)| origin))?;
                set.log.insert((*event).to_owned(), (level, self.origin()));
            }
            [stem, name @ .., key] if !name.is_empty() => {
                let stem = kind(stem, &parts[1..])?;
                let name = policy(stem, &name.join("__"), key, known)?;
                let (key, value) = self.setting(stem, &[stem.name, name], key)?;
                let section = set.section(stem, name, self.origin());
                once(section.laid.origin(key))?;
                section.laid.put(key, value, self.origin());
            }
            _ => return Err(format!("it is written `{PREFIX}<KIND>__<NAME>__<KEY>`")),
        }
        Ok(())
    }

    fn setting(&self, table: &Table, path: &[&str], key: &str) -> Result<(usize, Value), String> {
        if let Some(read) = setting(table, key, self.value) {
            return read;
        }
        let keys = || table.keys.iter().map(|key| key.name);
        Err(match nearest(key, keys()) {
            Some(meant) => {
                let mut parts = path.iter().map(|part| plain(part)).chain([meant.to_owned()]);
                let first = parts.next().unwrap_or_default();
                format!("`{key}` is no key of `{}`; did you mean `{}`?", table.name, name(&first, parts))
            }
            None => format!("`{key}` is no key of `{}`; keys: {}", table.name, listed(keys())),
        })
    }
}

fn kind(written: &str, rest: &[&str]) -> Result<&'static Stem, String> {
    if let Some(stem) = STEMS.iter().find(|stem| stem.name == written) {
        return Ok(stem);
    }
    let stems = || STEMS.iter().map(|stem| stem.name);
    Err(match nearest(written, stems()) {
        Some(meant) => {
            let rest = rest.iter().map(|part| (*part).to_owned());
            format!("`{written}` is no kind of policy; did you mean `{}`?", name(meant, rest))
        }
        None => format!("`{written}` is no kind of policy; there are {}", listed(stems())),
    })
}

/// The one policy whose name this may be.
fn policy(stem: &Stem, written: &str, key: &str, known: &Names) -> Result<&'static str, String> {
    let wanted = plain(written);
    if wanted == "default" {
        return Ok("default");
    }
    let known = known.get(stem.name);
    let names = || known.into_iter().flatten().copied();
    let alike: Vec<_> = names().filter(|name| plain(name) == wanted).collect();
    if let [name] = alike.as_slice() {
        return Ok(name);
    }
    let start = format!("there is no {} `{written}`", stem.name);
    if !alike.is_empty() {
        return Err(format!("it may mean any of {}: set it in a file", listed(alike)));
    }
    let plains: Vec<_> = names().map(plain).collect();
    Err(match nearest(&wanted, plains.iter().map(String::as_str)) {
        Some(meant) => {
            let rest = [meant.to_owned(), key.to_owned()];
            format!("{start}; did you mean `{}`?", name(stem.name, rest))
        }
        None if plains.is_empty() => start,
        None => format!("{start}; there are {}", listed(names())),
    })
}

/// A policy's name as a variable may say it.
fn plain(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("_")
}

/// The variable with these parts.
fn name(first: &str, rest: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<_> = [first.to_owned()].into_iter().chain(rest).map(|part| part.to_uppercase()).collect();
    format!("{PREFIX}{}", parts.join("__"))
}

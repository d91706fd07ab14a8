//! Settings from environment variables.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use resilient_settings::file::{LEVELS, advice, setting};
use resilient_settings::stem::{Table, general};
use resilient_settings::words::{listed, nearest, quoted};
use resilient_settings::{Value, stack};

use super::check::MOST;
use super::sources::{Section, Source, is_default};
use super::used::Names;
use super::{ConfigFault, Configure, Laid, Layers, Origin, Said};
use crate::policy::{STEMS, Stem};

/// What the name of each variable begins with.
const PREFIX: &str = "RESILIENT__";
/// The variable that names files.
const FILES: &str = "RESILIENT_CONFIG";
/// What a slip of our prefix leaves.
const NEARLY: &str = "RESILIENT_";

/// Variables with our prefix, in the order of their names.
#[derive(Clone, Debug)]
pub(super) struct Variables {
    all: Arc<[(Arc<str>, String)]>,
    /// Those that name files.
    files: Arc<[Arc<str>]>,
    /// Those that are not ours, but may have been meant to be.
    others: Arc<[Arc<str>]>,
    /// Levels of events that code set before: what it says later is stronger.
    levels: usize,
}

impl Configure {
    /// Adds the settings of the program's environment.
    ///
    /// First come the files that `RESILIENT_CONFIG` names, with commas between them and the later one stronger;
    /// then the variables `RESILIENT__<KIND>__<NAME>__<KEY>`, as in
    /// `RESILIENT__CIRCUIT_BREAKER__PAYMENTS__FAILURE_THRESHOLD=3`. Case does not matter, not even in a value that is
    /// a word, and neither does space around a value; all but letters and digits in a policy's name is
    /// written `_`. `DEFAULT` for the name means all policies of the kind. `RESILIENT__ENABLED=false` and the
    /// like set what a file says under `[resilient]`, and `RESILIENT__LOG__OPENED=error` the level of an
    /// event.
    ///
    /// A variable that matches nothing is a fault, as are two that mean the same. One that may have been meant, such
    /// as `RESILIENT_ENABLED`, is a warning in the log. They are read now, once.
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
        let (mut all, mut files, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let begins = |name: &str, with: &str| {
            name.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
        };
        for (name, value) in variables {
            let name: Arc<str> = Arc::from(name.to_string_lossy());
            if begins(&name, PREFIX) {
                all.push((name, value.to_string_lossy().into_owned()));
            } else if name.eq_ignore_ascii_case(FILES) {
                files.push((name, value));
            } else if begins(&name, NEARLY) {
                others.push(name);
            }
        }
        all.sort();
        files.sort();
        others.sort();
        if let Some((name, value)) = files.first() {
            self.layers.add_files(name, value);
        }
        let files = files.into_iter().map(|(name, _)| name).collect();
        let variables = Variables { all: all.into(), files, others: others.into(), levels };
        self.layers.sources.push(Source::Variables(variables));
        self
    }
}

impl Layers {
    /// Adds the files that a variable names; what is no text is the path of one.
    fn add_files(&mut self, name: &Arc<str>, paths: &OsStr) {
        let Some(texts) = paths.to_str() else {
            return self.add_file(Path::new(paths), Origin::Variable { name: Arc::clone(name) });
        };
        for path in texts.split(',').map(str::trim).filter(|path| !path.is_empty()) {
            self.add_file(Path::new(path), Origin::Variable { name: Arc::clone(name) });
        }
    }

    /// Variables that say nothing, and look as if they should.
    pub(super) fn misread(&self) -> Vec<ConfigFault> {
        let variables = self.sources.iter().filter_map(|source| match source {
            Source::Variables(variables) => Some(variables.others.iter()),
            _ => None,
        });
        let warning = |name: &Arc<str>| {
            let message = format!("it is not read; {}", meant(name)?);
            Some(ConfigFault::new([], message, Origin::Variable { name: Arc::clone(name) }))
        };
        variables.flatten().filter_map(warning).collect()
    }
}

/// Takes in what the variables say, and gives what is wrong with them.
pub(super) fn read(variables: &Variables, known: &Names, said: &mut Said) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    let mut set = Set::default();
    if let [first, others @ ..] = &*variables.files {
        let before = Origin::Variable { name: Arc::clone(first) };
        for name in others {
            let fault = |message| ConfigFault::new([], message, Origin::Variable { name: Arc::clone(name) });
            faults.extend(once(Some(&before)).map_err(fault).err());
        }
    }
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
    faults.truncate(MOST);
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
            [general::LOG, event] => {
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
        if let Some(advice) = advice(table, key) {
            return Err(format!("`{key}` is no key of `{}`; {advice}", table.name));
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
    if let (stack::TABLE, [policy @ .., part, key]) = (written, rest)
        && stack::part(part).is_some()
    {
        let rest = policy.iter().chain([key]).map(|part| (*part).to_owned());
        return Err(format!(
            "a stack's policies are set by their kind: did you mean `{}`?",
            name(part, rest)
        ));
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

/// What a variable of nearly our prefix was meant to be, if it is not somebody else's.
fn meant(written: &str) -> Option<String> {
    let rest = written[NEARLY.len()..].to_lowercase();
    if rest.starts_with("config") || nearest(&rest, ["config"]).is_some() {
        return Some(format!("did you mean `{FILES}`?"));
    }
    if let Some(key) = nearest(&rest, general::TABLE.keys.iter().map(|key| key.name)) {
        return Some(format!("did you mean `{}`?", name(key, [])));
    }
    let mut kinds = STEMS.iter().map(|stem| stem.name).chain([general::LOG]);
    let (kind, below) = kinds.find_map(|kind| Some((kind, rest.strip_prefix(kind)?.strip_prefix('_')?)))?;
    Some(match below.strip_prefix('_') {
        Some(below) => format!("did you mean `{}`?", name(kind, below.split("__").map(str::to_owned))),
        None => format!("settings are written `{PREFIX}<KIND>__<NAME>__<KEY>`"),
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

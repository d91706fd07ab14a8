//! Settings from files and texts.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use resilient_settings::file::{self, Document};

use super::sources::{Content, Section, Source, is_default};
use super::used::{Names, used_names};
use super::{ConfigFault, Configure, Layers, Origin, Place, Said, kind, variables};
use crate::registry::World;

/// More is no configuration.
const LONGEST: u64 = 1 << 20;

/// A file with settings.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) origin: Origin,
    /// Levels of events that code set before: what it says later is stronger.
    pub(super) levels: usize,
}

/// A text with settings.
#[derive(Clone, Debug)]
pub(super) struct Text {
    name: String,
    toml: String,
    levels: usize,
}

impl Configure {
    /// Adds the settings of a TOML file.
    ///
    /// ```toml
    /// [circuit_breaker.default]       # where no attribute and nothing stronger speaks
    /// reset_timeout = "10s"
    ///
    /// [circuit_breaker.external]      # a template, which no function has to use
    /// failure_rate = 0.3
    /// window = "30s"
    ///
    /// [circuit_breaker.payments]
    /// extends = "external"
    /// min_calls = 20
    ///
    /// [timeout."shop::quote"]         # an unnamed policy goes by the path of its function
    /// limit = "2s"
    ///
    /// [resilient]
    /// version = 1                     # of this format
    /// on_unknown_policy = "error"     # or "warn": named here, used by no function
    /// require = false                 # true: each policy that a function names has to be here
    /// reload = "off"                  # or "5s": look so often whether a file has changed
    /// enabled = true                  # false: no policy does anything
    ///
    /// [resilient.log]
    /// opened = "error"                # as `Configure::log`
    /// ```
    ///
    /// The keys are the attribute's, and so are the values: durations as `"1m 30s"`, rates as `"100/s"`, ratios
    /// from 0 to 1. What is code stays in the attribute. Several files are laid over one another section by
    /// section, templates included; the later one wins. `[budget.default]` is the budget that all share who
    /// name none.
    ///
    /// The file is read by [`install`](Self::install), and at each [reload](crate::reload). A file that is not there
    /// is a fault, as is one longer than a mebibyte.
    #[track_caller]
    pub fn file(mut self, path: impl AsRef<Path>) -> Self {
        self.layers.add_file(path.as_ref(), Origin::code());
        self
    }

    /// Adds the settings of a text, which faults call `name`.
    ///
    /// It reads as a [file](Self::file) does.
    ///
    /// ```
    /// use resilient_runtime::{Fault, configure, timeout};
    ///
    /// #[timeout("2s", name = "quotes")]
    /// async fn quote() -> Result<u32, Fault<()>> {
    ///     Ok(42)
    /// }
    ///
    /// let error = configure().text("resilient.toml", "[timeout.quotes]\nlimit = 5").install().unwrap_err();
    /// assert_eq!(error.faults()[0].to_string(), r#"
    /// error: timeout.quotes.limit: a duration needs a unit: write "5ms" or "5s"
    ///  --> resilient.toml:2:9
    ///   |
    /// 2 | limit = 5
    ///   |         ^"#.trim_start());
    /// ```
    pub fn text(mut self, name: &str, toml: &str) -> Self {
        let levels = self.layers.events.levels.len();
        self.layers.sources.push(Source::Text(Text { name: name.to_owned(), toml: toml.to_owned(), levels }));
        self
    }
}

impl Layers {
    pub(super) fn add_file(&mut self, path: &Path, origin: Origin) {
        let levels = self.events.levels.len();
        self.sources.push(Source::File(File { path: path.to_owned(), origin, levels }));
    }

    fn of_code(&self) -> impl Iterator<Item = &Section> {
        self.sources.iter().filter_map(|source| match source {
            Source::Section(section) => Some(&**section),
            _ => None,
        })
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        self.sources.iter().filter_map(|source| match source {
            Source::File(file) => Some(file),
            _ => None,
        })
    }
}

impl File {
    /// By its path each time: a mounted directory may have been swapped for another one.
    pub(super) fn read(&self) -> Content {
        let path = self.path.display();
        let failed = |error: std::io::Error| format!("`{path}` cannot be read: {error}");
        // What is no file, such as a pipe, could keep the reader waiting for ever.
        if !fs::metadata(&self.path).map_err(failed)?.is_file() {
            return Err(format!("`{path}` is no file"));
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(&self.path).map_err(failed)?;
        file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > LONGEST {
            return Err(format!("`{path}` is longer than a mebibyte"));
        }
        String::from_utf8(bytes)
            .map_err(|error| format!("`{path}` is no text in UTF-8: {}", error.utf8_error()))
    }
}

/// Takes in what the sources say, and gives what is wrong with their texts.
pub(super) fn read(world: &World, layers: &mut Layers, contents: &[Content]) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    let mut contents = contents.iter();
    let mut documents = Vec::new();
    for source in &layers.sources {
        documents.push(match source {
            Source::Text(text) => Some((document(&text.name, &text.toml, &mut faults), text.levels)),
            Source::File(file) => match contents.next() {
                Some(Ok(text)) => {
                    Some((document(&file.path.display().to_string(), text, &mut faults), file.levels))
                }
                Some(Err(why)) => {
                    faults.push(ConfigFault::new([], why, file.origin.clone()));
                    None
                }
                None => None,
            },
            _ => None,
        });
    }
    let mut said = Said { events: layers.events.clone(), ..Said::default() };
    said.torn = documents.iter().flatten().any(|(document, _)| document.torn);
    if said.torn {
        layers.said = said;
        return faults;
    }
    let sections = documents.iter().flatten().flat_map(|(document, _)| &document.sections);
    faults.extend(file::chains(sections).into_iter().map(fault));
    let mut known = None;
    for (source, document) in layers.sources.iter().zip(&documents) {
        match (source, document) {
            (Source::Section(section), _) => said.sections.push((**section).clone()),
            (Source::General(key, value, origin), _) => said.put(*key, *value, origin.clone()),
            (Source::Variables(variables), _) => {
                let known = known.get_or_insert_with(|| known_names(world, layers, &documents));
                faults.extend(variables::read(variables, known, &mut said));
            }
            (_, Some((document, levels))) => faults.extend(take(document, *levels, &mut said)),
            (_, None) => {}
        }
    }
    layers.said = said;
    faults
}

fn document(name: &str, text: &str, faults: &mut Vec<ConfigFault>) -> Document {
    let (document, wrong) = file::read(name, text);
    faults.extend(wrong.into_iter().map(fault));
    document
}

fn fault(fault: file::Fault) -> ConfigFault {
    let file::Fault { keys, message, spot } = fault;
    ConfigFault::new(keys.iter().map(String::as_str), message, Origin::File(Place(spot)))
}

/// Takes over what a document says.
fn take(document: &Document, levels: usize, said: &mut Said) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    for section in &document.sections {
        let origin = Origin::File(Place(section.spot.clone()));
        let Some(stem) = kind(section.table.name) else {
            let message = format!("this program was built without the feature for `{}`", section.table.name);
            faults.push(ConfigFault::new([section.table.name, section.name], message, origin));
            continue;
        };
        let mut taken = Section::new(stem, section.name, origin);
        taken.default = is_default(stem, section.name);
        taken.extends = section.extends.as_ref().map(|(parent, _)| *parent);
        for (key, value, spot) in &section.values {
            taken.laid.put(*key, *value, Origin::File(Place(spot.clone())));
        }
        said.sections.push(taken);
    }
    let stacks = document.stacks.iter().map(|(name, spot)| (name.clone(), Origin::File(Place(spot.clone()))));
    said.stacks.extend(stacks);
    for (key, value, spot) in &document.general.values {
        said.put(*key, *value, Origin::File(Place(spot.clone())));
    }
    let written =
        document.log.iter().map(|it| (it.event.as_str(), it.level, Origin::File(Place(it.spot.clone()))));
    said.events.insert_levels(levels, written);
    faults
}

/// Names that a variable may mean, by kind of policy.
fn known_names(world: &World, layers: &Layers, documents: &[Option<(Document, usize)>]) -> Names {
    let mut known = Names::new();
    for &stem in crate::policy::STEMS {
        let names = known.entry(stem.name).or_default();
        names.extend(used_names(world, stem, layers.of_code()));
        names.extend(layers.expected.iter().copied());
    }
    for section in layers.of_code() {
        known.entry(section.stem.name).or_default().insert(section.name);
    }
    for section in documents.iter().flatten().flat_map(|(document, _)| &document.sections) {
        known.entry(section.table.name).or_default().insert(section.name);
    }
    known
}

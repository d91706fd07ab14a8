//! What was added to a configuration, and what it says.

use resilient_settings::stem::{Table, budget};
use resilient_settings::{Value, Written};

use super::{ConfigFault, Laid, Layers, Origin, Said};
use crate::events;
use crate::policy::Stem;
use crate::registry::World;

#[cfg(feature = "config")]
use super::{files, variables};

/// Something that says settings.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Code speaks of one policy.
    Section(Box<Section>),
    /// Code speaks of all.
    General(usize, Value, Origin),
    #[cfg(feature = "config")]
    File(files::File),
    #[cfg(feature = "config")]
    Text(files::Text),
    #[cfg(feature = "config")]
    Variables(variables::Variables),
}

/// What a file holds, or why that is not known.
pub(super) type Content = Result<String, String>;

/// What one source says of one policy.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) stem: &'static Stem,
    pub(super) name: &'static str,
    /// Weaker than the attributes, and of all policies of this kind.
    pub(super) default: bool,
    pub(super) extends: Option<&'static str>,
    pub(super) laid: Laid,
    pub(super) origin: Origin,
}

impl Section {
    pub(super) fn new(stem: &'static Stem, name: &'static str, origin: Origin) -> Self {
        let laid = Laid::of(origin.clone());
        Self { stem, name, default: false, extends: None, laid, origin }
    }

    pub(super) fn of_code(
        stem: &'static Stem,
        name: &'static str,
        written: &Written,
        origin: &Origin,
    ) -> Self {
        let mut section = Self::new(stem, name, origin.clone());
        for key in 0..stem.keys.len() {
            if let Some(value) = written.get(key) {
                section.laid.put(key, value, origin.clone());
            }
        }
        section
    }
}

/// Whether a file's section of this name holds for all policies of its kind. The budget of this name is the one
/// that all share who name none, and nothing else.
pub(super) fn is_default(table: &Table, name: &str) -> bool {
    name == "default" && table.name != budget::TABLE.name
}

impl Default for Said {
    fn default() -> Self {
        Self {
            sections: Vec::new(),
            stacks: Vec::new(),
            general: Laid::new(),
            events: events::Settings::default(),
            torn: false,
        }
    }
}

impl Said {
    pub(super) fn put(&mut self, key: usize, value: Value, origin: Origin) {
        self.general.put(key, value, origin);
    }

    /// Whether a stack is named without parts, and so switched off.
    pub(super) fn has_stack(&self, name: &str) -> bool {
        self.stacks.iter().any(|(known, _)| known == name)
    }

    /// What `[resilient]` says of a key that is a flag.
    pub(super) fn flag(&self, key: usize) -> Option<bool> {
        self.general.written.flag(key)
    }
}

#[cfg(feature = "config")]
impl Layers {
    /// What the files hold now, in the order they were added. Blocks.
    pub(super) fn contents(&self) -> Vec<Content> {
        self.files().map(files::File::read).collect()
    }

    /// Takes in what the sources say, and gives what is wrong with their texts.
    pub(super) fn read(&mut self, world: &World, contents: &[Content]) -> Vec<ConfigFault> {
        self.judged = contents.into();
        files::read(world, self, contents)
    }
}

#[cfg(not(feature = "config"))]
impl Layers {
    #[expect(clippy::unused_self, reason = "there are no files without the feature")]
    pub(super) fn contents(&self) -> Vec<Content> {
        Vec::new()
    }

    #[expect(clippy::unused_self, reason = "there are no variables without the feature")]
    pub(super) const fn misread(&self) -> Vec<ConfigFault> {
        Vec::new()
    }

    pub(super) fn read(&mut self, _: &World, _: &[Content]) -> Vec<ConfigFault> {
        let mut said = Said { events: self.events.clone(), ..Said::default() };
        for source in &self.sources {
            match source {
                Source::Section(section) => said.sections.push((**section).clone()),
                Source::General(key, value, origin) => said.put(*key, *value, origin.clone()),
            }
        }
        self.said = said;
        Vec::new()
    }
}

//! What an annotated function says about itself.

use std::collections::HashMap;
use std::panic::Location;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use resilient_settings::stack::{self, STACK};
use resilient_settings::{Rate, Value, intern};

use crate::names::readable;

/// What an annotated function says about itself at link time.
#[derive(Debug)]
pub struct Function {
    pub(crate) type_name: fn() -> &'static str,
    pub(crate) module: &'static str,
    pub(crate) location: &'static Location<'static>,
    /// As the macros write them; see [`Fields`].
    pub(crate) layers: &'static str,
    /// Values that only the compiler could read, in the order of their keys. Behind a function, whose type is
    /// checked in no time.
    pub(crate) constants: fn() -> &'static [Value],
}

impl Function {
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn new(
        type_name: fn() -> &'static str,
        module: &'static str,
        layers: &'static str,
        constants: fn() -> &'static [Value],
    ) -> Self {
        Self { type_name, module, location: Location::caller(), layers, constants }
    }

    /// Its path: `module::function`, `module::Type::method` or `module::<Type as Trait>::method`.
    #[must_use]
    pub fn path(&'static self) -> &'static str {
        self.read().path
    }

    /// Source file it stands in.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.location.file()
    }

    /// Line of the source file.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.location.line()
    }

    /// Its policies, outermost first.
    #[must_use]
    pub fn layers(&'static self) -> &'static [Layer] {
        &self.read().layers
    }

    /// Reads the record once. What it says is kept apart, so that the compiler has less to check in the
    /// static of each function.
    fn read(&'static self) -> &'static Reading {
        static READ: RwLock<Option<HashMap<usize, &'static Reading>>> = RwLock::new(None);
        let key = std::ptr::from_ref(self).addr();
        let known = READ
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .and_then(|all| all.get(&key).copied());
        known.unwrap_or_else(|| {
            let path = intern(&readable((self.type_name)(), self.module));
            let reading = Reading { path, layers: layers(path, self.layers, (self.constants)()) };
            let mut all = READ.write().unwrap_or_else(PoisonError::into_inner);
            all.get_or_insert_default().entry(key).or_insert_with(|| Box::leak(Box::new(reading)))
        })
    }
}

/// A record as it was read.
struct Reading {
    path: &'static str,
    layers: Vec<Layer>,
}

/// One attribute of an annotated function.
#[derive(Debug)]
pub struct Layer {
    stem: &'static str,
    name: Option<&'static str>,
    policy: &'static str,
    composed: bool,
    written: Vec<(&'static str, Value)>,
}

impl Layer {
    const fn composed(stem: &'static str, name: &'static str) -> Self {
        Self { stem, name: Some(name), policy: name, composed: true, written: Vec::new() }
    }

    /// Kind of policy: the attribute's name.
    #[must_use]
    pub const fn stem(&self) -> &'static str {
        self.stem
    }

    /// Name written in the attribute, if any.
    #[must_use]
    pub const fn name(&self) -> Option<&'static str> {
        self.name
    }

    /// Keys written in the attribute, with their values.
    #[must_use]
    pub fn written(&self) -> &[(&'static str, Value)] {
        &self.written
    }

    /// Whether `#[resilient]` stands for it, which leaves the settings to the configuration.
    pub(crate) const fn is_composed(&self) -> bool {
        self.composed
    }

    /// Name of its policy: the written one, or one made of the path.
    pub(crate) const fn policy_name(&self) -> &'static str {
        self.policy
    }
}

/// Fields that each stand behind their length: `5:retry3:max`.
struct Fields(&'static str);

impl Iterator for Fields {
    type Item = &'static str;

    fn next(&mut self) -> Option<&'static str> {
        let (length, rest) = self.0.split_once(':')?;
        let (field, rest) = rest.split_at_checked(length.parse().ok()?)?;
        self.0 = rest;
        Some(field)
    }
}

/// Each layer is its stem, its name, its keys with their values, and an empty field.
fn layers(path: &'static str, text: &'static str, constants: &[Value]) -> Vec<Layer> {
    let (mut fields, mut constants) = (Fields(text), constants.iter().copied());
    let mut filled = move || fields.next().filter(|field| !field.is_empty());
    let mut layers: Vec<Layer> = Vec::new();
    while let Some(stem) = filled() {
        let name = filled();
        let mut written = Vec::new();
        while let Some(key) = filled() {
            written.extend(filled().and_then(|text| value(text, &mut constants)).map(|value| (key, value)));
        }
        if stem == stack::STEM {
            let policy = name.unwrap_or(path);
            layers.extend(STACK.iter().map(|part| Layer::composed(part.table.name, policy)));
            continue;
        }
        let policy = name.unwrap_or_else(|| match layers.iter().filter(|above| above.stem == stem).count() {
            0 => path,
            nth => intern(&format!("{path}#{}", nth + 1)),
        });
        layers.push(Layer { stem, name, policy, composed: false, written });
    }
    layers
}

fn value(text: &'static str, constants: &mut impl Iterator<Item = Value>) -> Option<Value> {
    let (kind, text) = text.split_at_checked(1)?;
    match kind {
        "b" => text.parse().ok().map(Value::Flag),
        "c" => text.parse().ok().map(Value::Count),
        "n" => text.parse().ok().map(Value::Number),
        "r" => {
            let (permits, nanos) = text.split_once('/')?;
            let period = Duration::from_nanos(nanos.parse().ok()?);
            Some(Value::Rate(Rate::new(permits.parse().ok()?, period)))
        }
        "t" => text.parse().ok().map(Value::nanos),
        "w" => Some(Value::Word(text)),
        "x" => Some(Value::Code(text)),
        _ => constants.next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_read_with_every_kind_of_value() {
        const TEXT: &str = "5:retry7:2:x:\n\u{e9}3:max2:c36:factor4:n1.54:base1:=0:5:retry0:\
                            4:when5:x|e|:6:jitter5:wfull6:nested5:btrue0:7:timeout0:5:limit11:t20000000000:";
        let layers = layers("shop::quote", TEXT, &[Value::nanos(1)]);
        let read: Vec<_> =
            layers.iter().map(|it| (it.stem, it.name, it.policy, it.written.as_slice())).collect();
        let first = [
            ("max", Value::Count(3)),
            ("factor", Value::Number(1.5)),
            ("base", Value::Time(Duration::from_nanos(1))),
        ];
        let second =
            [("when", Value::Code("|e|:")), ("jitter", Value::Word("full")), ("nested", Value::Flag(true))];
        assert_eq!(
            read,
            [
                ("retry", Some("2:x:\n\u{e9}"), "2:x:\n\u{e9}", &first[..]),
                ("retry", None, "shop::quote#2", &second[..]),
                ("timeout", None, "shop::quote", &[("limit", Value::Time(Duration::from_secs(2)))][..]),
            ]
        );
    }

    #[test]
    fn one_word_stands_for_a_whole_stack() {
        let layers = layers("shop::quote", "9:resilient8:payments0:5:retry0:3:max2:c20:", &[]);
        let read: Vec<_> = layers.iter().map(|it| (it.stem, it.policy, it.composed)).collect();
        assert_eq!(
            read,
            [
                ("retry", "payments", true),
                ("circuit_breaker", "payments", true),
                ("rate_limit", "payments", true),
                ("timeout", "payments", true),
                ("bulkhead", "payments", true),
                ("retry", "shop::quote#2", false),
            ]
        );
    }

    #[test]
    fn text_that_breaks_off_is_read_as_far_as_it_goes() {
        for end in 0.."5:retry0:3:max2:c30:".len() {
            let text = &"5:retry0:3:max2:c30:"[..end];
            let stems: Vec<_> = layers("f", text, &[]).iter().map(|layer| layer.stem).collect();
            assert!(stems.is_empty() || stems == ["retry"], "{text:?} was read as {stems:?}");
        }
    }
}

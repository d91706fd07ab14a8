//! `explain()`: each setting in force, and who said so.

use std::fmt;

use resilient_settings::stem::{Table, general};
use resilient_settings::{Value, default};

use super::{Laid, Origin, kind, merge, shown};
use crate::registry::Registry;

/// Every setting of every policy, as of when it was asked for.
///
/// Its `Display` is a table with a line for each.
#[derive(Clone, Debug)]
pub struct Explanation {
    rows: Vec<Explained>,
}

/// One setting, and who said so.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explained {
    /// Kind of policy, or `"resilient"` for what concerns all.
    pub stem: &'static str,
    /// Name of the policy, `"log"` for the level of an event that somebody set, or empty.
    pub policy: &'static str,
    /// The key.
    pub key: &'static str,
    /// The value in force, unless there is none.
    pub value: Option<Value>,
    /// Who said so.
    pub origin: Origin,
}

impl Registry {
    /// Lists every setting of every policy with where it comes from.
    ///
    /// A policy that is controlled by hand, such as a breaker that was forced open, still has the settings that
    /// are listed.
    ///
    /// ```
    /// use std::time::Duration;
    /// use resilient_runtime::{Fault, configure, registry, timeout};
    ///
    /// #[timeout("2s", name = "quotes")]
    /// async fn quote() -> Result<u32, Fault<()>> {
    ///     Ok(42)
    /// }
    ///
    /// # fn main() -> Result<(), resilient_runtime::ConfigError> {
    /// configure().timeout("quotes", |t| t.limit(Duration::from_millis(300))).install()?;
    /// let explanation = registry().explain();
    /// let limit = explanation.rows().iter().find(|row| row.policy == "quotes" && row.key == "limit").unwrap();
    /// assert!(limit.to_string().starts_with("timeout.quotes.limit = \"300ms\"  (code at "));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn explain(self) -> Explanation {
        let layers = self.0.installed().clone();
        let (merged, _) = merge(self.0, &layers);
        let mut rows = Vec::new();
        explain((&general::TABLE, ""), &layers.said.general, &mut rows);
        let levels = layers.said.events.by_event().into_iter();
        rows.extend(levels.map(|(key, (level, origin))| Explained {
            stem: general::TABLE.name,
            policy: general::LOG,
            key,
            value: Some(level),
            origin: origin.clone(),
        }));
        for (&(stem, name), laid) in &merged {
            if let Some(stem) = kind(stem) {
                explain((stem, name), laid, &mut rows);
            }
        }
        Explanation { rows }
    }
}

fn explain((table, policy): (&Table, &'static str), laid: &Laid, rows: &mut Vec<Explained>) {
    for (index, key) in table.keys.iter().enumerate() {
        let value = laid.written.get(index);
        let origin = laid.origin(index).cloned().unwrap_or(Origin::BuiltIn);
        let value = value.or_else(|| default(table, index, &laid.written));
        rows.push(Explained { stem: table.name, policy, key: key.name, value, origin });
    }
}

impl Explanation {
    /// The settings, by kind, name and key; what concerns all comes first.
    #[must_use]
    pub fn rows(&self) -> &[Explained] {
        &self.rows
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.rows.iter().map(|row| (row.setting(), &row.origin)).collect();
        let width = lines.iter().map(|(setting, _)| setting.chars().count()).max().unwrap_or_default();
        for (nth, (setting, origin)) in lines.iter().enumerate() {
            let end = if nth == 0 { "" } else { "\n" };
            write!(f, "{end}{setting:width$}  {origin}")?;
        }
        Ok(())
    }
}

impl Explained {
    fn setting(&self) -> String {
        let path = [self.stem, self.policy, self.key].into_iter().filter(|part| !part.is_empty());
        let path = resilient_settings::words::dotted(path);
        match self.value {
            Some(value) => format!("{path} = {}", shown(self.stem, self.key, value)),
            None => format!("{path} is not set"),
        }
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  ({})", self.setting(), self.origin)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use resilient_settings::{Kind, Rate, Value, Written, default, defaults};

    use crate::policy::{STEMS, Stem};
    use crate::tally::Tally;

    fn shown(stem: &Stem, written: &Written) -> String {
        format!("{:?}", (stem.create)("explained", written).snapshot(Tally::total))
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_told_as_a_default_is_what_a_policy_goes_by() {
        for stem in STEMS {
            let (unset, set) = (Written::NOTHING, defaults(stem));
            let mut keys = stem.keys.iter().enumerate();
            let refused = keys.find_map(|(index, key)| key.kind.complain(set.get(index)?));
            assert_eq!(refused, None, "{}", stem.name);
            assert_eq!(shown(stem, &unset), shown(stem, &set), "{}", stem.name);
        }
    }

    fn samples(kind: Kind) -> Vec<Value> {
        let times = [1, 1_000, 600_000].map(|time| Value::Time(Duration::from_millis(time)));
        let counts = [0, 1, 3, 50, 5_000].map(Value::Count);
        let numbers = [0.1, 0.9, 1.0, 7.0].map(Value::Number);
        let words = kind.words().into_iter().flatten().map(|word| Value::Word(word));
        let others = [Value::Flag(false), Value::Flag(true), Value::Rate(Rate::per_second(3))];
        let all = times.into_iter().chain(counts).chain(numbers).chain(words).chain(others);
        all.filter(|value| takes(kind, *value) && kind.complain(*value).is_none()).collect()
    }

    fn takes(kind: Kind, value: Value) -> bool {
        match kind {
            Kind::Count(_) | Kind::CountTo(_) => matches!(value, Value::Count(_)),
            Kind::Ratio | Kind::Factor => matches!(value, Value::Number(_)),
            Kind::Time(_) | Kind::TimeOr(..) => matches!(value, Value::Time(_)),
            Kind::CountOrTime(_) => matches!(value, Value::Count(_) | Value::Time(_)),
            Kind::TimeOrQuantile => matches!(value, Value::Number(_) | Value::Time(_)),
            Kind::Rate => matches!(value, Value::Rate(_)),
            Kind::Flag => matches!(value, Value::Flag(_)),
            Kind::Word(_) => matches!(value, Value::Word(_)),
            _ => false,
        }
    }

    /// One key set to each of some values, over what is set already.
    fn set(stem: &Stem, before: &Written) -> Vec<Written> {
        let keys = stem.keys.iter().enumerate();
        let each =
            |(slot, kind): (usize, Kind)| samples(kind).into_iter().map(move |value| before.set(slot, value));
        keys.flat_map(|(slot, key)| each((slot, key.kind))).collect()
    }

    /// With what is told of the keys that are not set.
    fn told(stem: &Stem, written: &Written) -> Written {
        let unset = stem.keys.iter().enumerate().filter(|(slot, _)| written.get(*slot).is_none());
        unset.fold(*written, |mut told, (slot, _)| {
            told.put(slot, default(stem, slot, written));
            told
        })
    }

    #[tokio::test(start_paused = true)]
    async fn beside_any_two_keys_the_rest_is_told_as_a_policy_goes_by_it() {
        let pairs = |stem: &'static Stem| {
            let pairs = set(stem, &Written::NOTHING).into_iter().flat_map(move |one| set(stem, &one));
            pairs.filter(move |pair| (stem.check)(pair).is_empty()).map(move |pair| (stem, pair))
        };
        for (stem, written) in STEMS.iter().copied().flat_map(pairs) {
            let told = told(stem, &written);
            assert_eq!(shown(stem, &written), shown(stem, &told), "{}: {written:?}", stem.name);
        }
    }
}

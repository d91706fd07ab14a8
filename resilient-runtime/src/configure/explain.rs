//! `explain()`: each setting in force, and who said so.

use std::fmt;

use resilient_settings::stem::{Table, general};
use resilient_settings::{Value, default};

use super::{Laid, Origin, kind, merge};
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
    /// Name of the policy, or empty.
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
        let (merged, _) = merge(&layers);
        let mut rows = Vec::new();
        explain((&general::TABLE, ""), &layers.said.general, &mut rows);
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
            Some(value) => format!("{path} = {value}"),
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
    use resilient_settings::{Written, defaults};

    use crate::policy::STEMS;
    use crate::tally::Tally;

    #[tokio::test(start_paused = true)]
    async fn what_is_told_as_a_default_is_what_a_policy_goes_by() {
        for stem in STEMS {
            let (unset, set) = (Written::NOTHING, defaults(stem));
            let mut keys = stem.keys.iter().enumerate();
            let refused = keys.find_map(|(index, key)| key.kind.complain(set.get(index)?));
            assert_eq!(refused, None, "{}", stem.name);
            let shown = |written| format!("{:?}", (stem.create)("explained", written).snapshot(Tally::total));
            assert_eq!(shown(&unset), shown(&set), "{}", stem.name);
        }
    }
}

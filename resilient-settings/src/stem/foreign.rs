//! Words that other libraries use for our keys.

use super::Table;
use crate::Kind;
use crate::words::snake;

/// Words of others, and what to write here instead.
#[derive(Clone, Copy, Debug)]
pub struct Foreign {
    /// In snake case, with spaces between them.
    pub words: &'static str,
    pub advice: &'static str,
}

impl Foreign {
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        self.words.split(' ').any(|known| known == word)
    }
}

/// For each kind that can be switched off.
const OFF: Foreign = Foreign {
    words: "disabled disable active off enable",
    advice: "use `enabled`: `enabled = false` switches it off",
};

/// For each kind that can look on.
const OBSERVE: Foreign = Foreign {
    words: "dry_run shadow observe observing metrics_only monitor_only permissive enforce",
    advice: "use `mode`: with `mode = \"observe\"` it refuses nothing and tells what it would have refused",
};

/// For each kind with such a key.
const SHARED: [(&str, Foreign); 2] = [("enabled", OFF), ("mode", OBSERVE)];

/// What a number's unit is called at the end of a word.
const UNITS: [&str; 12] =
    ["ns", "nanos", "us", "micros", "ms", "millis", "milliseconds", "s", "sec", "secs", "seconds", "minutes"];

impl Table {
    /// What to write instead of a word that is no key.
    #[must_use]
    pub fn advice(&self, word: &str) -> Option<String> {
        let word = snake(word);
        if let Some(advice) = self.known(&word) {
            return Some(advice.to_owned());
        }
        let (bare, _) = word.rsplit_once('_').filter(|(_, unit)| UNITS.contains(unit))?;
        let bare = bare.strip_suffix("_in").unwrap_or(bare);
        self.known(bare).map(str::to_owned).or_else(|| self.united(bare))
    }

    /// The same of a word for what is code.
    #[must_use]
    pub fn advice_on_code(&self, word: &str) -> Option<&'static str> {
        find(self.foreign_code, &snake(word))
    }

    fn known(&self, word: &str) -> Option<&'static str> {
        let has = |key: &str| self.keys.iter().any(|known| known.name == key);
        let shared = || SHARED.iter().find(|(key, foreign)| has(key) && foreign.has(word));
        match find(self.foreign, word).or_else(|| shared().map(|(_, foreign)| foreign.advice)) {
            None if word == "readiness" => {
                Some("only a `circuit_breaker` and a `load_shed` can tell that calls had better go elsewhere")
            }
            None if has("enabled") && (word == "mode" || OBSERVE.has(word)) => {
                Some("only what refuses calls can observe instead; `enabled = false` switches this off")
            }
            known => known,
        }
    }

    /// A key of ours, but for the unit behind it.
    fn united(&self, word: &str) -> Option<String> {
        let key = self.keys.iter().find(|key| key.name == word)?;
        let takes_time = matches!(
            key.kind,
            Kind::Time(_) | Kind::TimeOr(..) | Kind::TimeOrQuantile | Kind::CountOrTime(_)
        );
        takes_time.then(|| format!("use `{word}`, whose value says the unit: `{word} = \"250ms\"`"))
    }
}

fn find(all: &[Foreign], word: &str) -> Option<&'static str> {
    all.iter().find(|foreign| foreign.has(word)).map(|foreign| foreign.advice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stem::{TABLES, general};

    fn tables() -> impl Iterator<Item = &'static Table> {
        TABLES.iter().copied().chain([&general::TABLE])
    }

    #[test]
    fn a_foreign_word_is_no_key_and_has_one_meaning() {
        for table in tables() {
            let shared = SHARED.iter().filter(|(shared, _)| table.keys.iter().any(|key| key.name == *shared));
            let shared = || shared.clone().map(|(_, foreign)| foreign);
            let all = || table.foreign.iter().chain(table.foreign_code).chain(shared());
            let mut words: Vec<_> = all().flat_map(|foreign| foreign.words.split(' ')).collect();
            words.sort_unstable();
            for pair in words.windows(2) {
                assert_ne!(pair[0], pair[1], "{}", table.name);
            }
            for word in words {
                assert_eq!(snake(word), word, "{}", table.name);
                assert!(!word.is_empty(), "{}", table.name);
                assert!(table.keys.iter().all(|key| key.name != word), "{}.{word}", table.name);
                assert!(!table.code.contains(&word), "{}.{word}", table.name);
            }
        }
    }

    #[test]
    fn advice_leads_to_a_key() {
        for table in tables() {
            let all = table.foreign.iter().chain(table.foreign_code);
            for (advice, rest) in all.filter_map(|it| Some((it.advice, it.advice.split_once("use `")?.1))) {
                let meant = rest.split(['`', ' ', '(']).next().unwrap_or_default();
                let mut known = table.keys.iter().map(|key| key.name).chain(table.code.iter().copied());
                assert!(known.any(|key| key == meant), "{}: {advice}", table.name);
            }
        }
    }

    #[test]
    fn a_word_may_be_written_in_any_case_and_with_a_unit() {
        let advice = |word| crate::stem::retry::TABLE.advice(word);
        let delay = advice("delay");
        assert!(delay.is_some());
        for word in ["Delay", "initialDelay", "initial-delay", "delay_ms", "delayInMillis", "DELAY"] {
            assert_eq!(advice(word), delay, "{word}");
        }
        assert!(advice("base_ms").is_some_and(|advice| advice.contains("`base = \"250ms\"`")));
        assert_eq!(advice("max_ms"), None, "a number has no unit");
    }
}

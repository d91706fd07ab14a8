//! `#[resilient("payments")]`: a stack whose policies the configuration chooses.

use resilient_settings::stack;
use resilient_settings::stem::{Foreign, Table};
use resilient_settings::words::snake;

use crate::policy::bulkhead::Bulkhead;
use crate::policy::circuit_breaker::CircuitBreaker;
use crate::policy::no_clone::no_clone;
use crate::policy::rate_limit::RateLimit;
use crate::policy::retry::Retry;
use crate::policy::timeout::Timeout;
use crate::policy::{Kind, Policy, Twice};

pub(crate) static KIND: Kind = Kind {
    stem: stack::STEM,
    keys: &["no_clone", "crate"],
    foreign: &[
        Foreign {
            words: "name policy id label",
            advice: "the name stands alone: `#[resilient(\"payments\")]`",
        },
        Foreign {
            words: "retry circuit_breaker rate_limit timeout bulkhead",
            advice: "the configuration says what its policies do: `[policy.payments]` in a file, or \
                     `configure().retry(\"payments\", |r| r.max(3))`",
        },
        Foreign {
            words: "fallback hedge load_shed cache coalesce",
            advice: "this one is an attribute of its own: put it above or below",
        },
        Foreign {
            words: "enabled mode",
            advice: "the configuration says it of each of its policies: `[policy.payments.timeout]` with \
                     `mode = \"observe\"`",
        },
    ],
    lone: "one name: `#[resilient(\"payments\")]`",
    twice: Twice::Never,
    read: |reader| {
        reader.lone_name("payments");
        Box::new(Retry::unset(no_clone(reader)))
    },
};

/// What to say about a word that means something to one of its policies.
pub(crate) fn advice(word: &str) -> Option<String> {
    let tables = || stack::STACK.iter().map(|part| part.table);
    let key = snake(word);
    if tables().any(|table| table.code.contains(&key.as_str())) {
        return Some(IN_PLACE.to_owned());
    }
    let says = |table: &Table, what: &str| {
        format!("the configuration says it, below `[policy.payments.{}]`: {what}", table.name)
    };
    if let Some(table) = tables().find(|table| table.keys.iter().any(|known| known.name == key)) {
        return Some(says(table, &format!("`{key} = …`")));
    }
    let foreign = tables().find_map(|table| Some(says(table, &table.advice(word)?)));
    foreign.or_else(|| tables().find_map(|table| table.advice_on_code(word)).map(|_| IN_PLACE.to_owned()))
}

const IN_PLACE: &str = "what is code stands in the attribute of its policy: `#[retry]`, `#[circuit_breaker]` and \
                        so on, in place of `#[resilient]`";

/// What it stands for, outermost first: a retry, which is all that its arguments concern, and what only the
/// configuration knows more of.
pub(crate) fn composed(retry: Box<dyn Policy>) -> [(&'static Kind, Box<dyn Policy>); 5] {
    [
        (&super::retry::KIND, retry),
        (&super::circuit_breaker::KIND, Box::new(CircuitBreaker::unset())),
        (&super::rate_limit::KIND, Box::new(RateLimit::unset())),
        (&super::timeout::KIND, Box::new(Timeout::unset())),
        (&super::bulkhead::KIND, Box::new(Bulkhead::unset())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_finds_the_policies_in_the_same_order() {
        let parts = composed(Box::new(Retry::unset(Vec::new()))).map(|(kind, _)| kind.stem);
        let told: Vec<_> = stack::STACK.iter().map(|part| part.table.name).collect();
        assert_eq!(parts.as_slice(), told);
    }
}

//! The stack that `#[resilient("name")]` stands for.

use crate::stem::{Table, bulkhead, circuit_breaker, rate_limit, retry, timeout};

/// The attribute, as the record of a function says it.
pub const STEM: &str = "resilient";

/// The table of a file that has one for each stack.
pub const TABLE: &str = "policy";

/// One kind of policy in the stack.
#[derive(Debug)]
pub struct Part {
    pub table: &'static Table,
    /// The key without which it has nothing to go by.
    pub needs: Option<&'static str>,
}

/// Outermost first.
///
/// What needs something of the code is no part: `fallback` an answer, `cache` and `coalesce` a key, `load_shed` what
/// is important; and `hedge` runs attempts side by side, which not every function can.
pub static STACK: [Part; 5] = [
    Part { table: &retry::TABLE, needs: None },
    Part { table: &circuit_breaker::TABLE, needs: None },
    Part { table: &rate_limit::TABLE, needs: Some("rate") },
    Part { table: &timeout::TABLE, needs: Some("limit") },
    Part { table: &bulkhead::TABLE, needs: Some("max_concurrent") },
];

/// The keys of the part of this name.
#[must_use]
pub fn part(stem: &str) -> Option<&'static Table> {
    STACK.iter().map(|part| part.table).find(|table| table.name == stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_part_needs_is_one_of_its_keys() {
        for Part { table, needs } in &STACK {
            let known = |needs: &str| table.keys.iter().any(|key| key.name == needs);
            assert!(needs.is_none_or(known), "{}: {needs:?}", table.name);
        }
    }
}

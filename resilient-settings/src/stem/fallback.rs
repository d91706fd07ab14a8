//! Keys of `fallback`.

use super::{Foreign, Table};
use crate::{Key, Kind};

pub const MAX_ENTRIES: usize = 0;
pub const MAX_AGE: usize = 1;
pub const ENABLED: usize = 2;

pub static TABLE: Table = Table {
    name: "fallback",
    keys: &[
        Key { name: "max_entries", kind: Kind::Count(1) },
        Key { name: "max_age", kind: Kind::POSITIVE_TIME },
        super::ENABLED_KEY,
    ],
    code: &["fn", "value", "cached", "when", "key"],
    foreign: FOREIGN,
    foreign_code: FOREIGN_CODE,
    excludes: &[],
    check: |_| Vec::new(),
};

const FOREIGN: &[Foreign] = &[Foreign {
    words: "ttl max_stale stale_if_error",
    advice: "use `cached` with `max_age`, or `#[cache(ttl = \"30s\", stale_if_error = \"5m\")]` below",
}];

const FOREIGN_CODE: &[Foreign] = &[
    Foreign {
        words: "method handler with function func call fallback_fn fun fallback or_else using",
        advice: "use `fn`: `fn = cached_quote`",
    },
    Foreign { words: "default or result return returns answer constant", advice: "use `value`" },
    Foreign {
        words: "if only_if predicate condition on filter fallback_if fallback_on handle \
                apply_on",
        advice: "use `when`, which sees the error",
    },
    Foreign {
        words: "cache stale last last_good last_known remember result_fallback",
        advice: "use `cached`, the last good value of the same arguments",
    },
    Foreign { words: "skip_on ignore except", advice: "use `when`, with the condition turned round" },
];

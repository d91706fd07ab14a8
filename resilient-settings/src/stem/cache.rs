//! Keys of `cache`.

use std::time::Duration;

use super::{Foreign, Table};
use crate::{Key, Kind};

pub const TTL: usize = 0;
pub const STALE_IF_ERROR: usize = 1;
pub const STALE_WHILE_REVALIDATE: usize = 2;
pub const MAX_ENTRIES: usize = 3;
pub const ENABLED: usize = 4;

pub static TABLE: Table = Table {
    name: "cache",
    keys: &[
        Key { name: "ttl", kind: Kind::POSITIVE_TIME },
        Key { name: "stale_if_error", kind: Kind::Time(Duration::ZERO) },
        Key { name: "stale_while_revalidate", kind: Kind::Time(Duration::ZERO) },
        Key { name: "max_entries", kind: Kind::Count(1) },
        super::ENABLED_KEY,
    ],
    code: &["key"],
    foreign: FOREIGN,
    foreign_code: FOREIGN_CODE,
    excludes: &[],
    check: |_| Vec::new(),
};

const FOREIGN: &[Foreign] = &[
    Foreign {
        words: "time timeout expire expires expiry expiration expire_after expire_after_write \
                time_to_live lifespan duration max_age refresh_after_write",
        advice: "use `ttl`, the time for which a value is fresh",
    },
    Foreign {
        words: "size capacity max_size max_capacity maximum_size cap limit max entries",
        advice: "use `max_entries`",
    },
    Foreign {
        words: "result_fallback stale grace max_stale stale_on_error serve_stale",
        advice: "use `stale_if_error`, the time beyond `ttl` for which a value stands in for a failure",
    },
    Foreign {
        words: "swr refresh revalidate refresh_ahead stale_while_refresh background",
        advice: "use `stale_while_revalidate`, the time beyond `ttl` in which one caller renews a value for the others",
    },
    Foreign {
        words: "tti time_to_idle idle expire_after_access time_refresh",
        advice: "a value's age counts from when it was known, however often it is used: use `ttl`",
    },
    Foreign {
        words: "sync_writes single_flight singleflight coalesce dedupe",
        advice: "put `#[coalesce]` below",
    },
    Foreign {
        words: "result option cache_errors cache_err negative",
        advice: "a value is kept and an error never is",
    },
];

const FOREIGN_CODE: &[Foreign] = &[Foreign {
    words: "convert by keys key_by key_fn cache_key",
    advice: "use `key`, an expression with the arguments in scope: `key = (tenant, id)`",
}];

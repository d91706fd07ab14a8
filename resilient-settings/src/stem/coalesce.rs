//! Keys of `coalesce`.

use super::{Foreign, Table};

pub const ENABLED: usize = 0;

pub static TABLE: Table = Table {
    name: "coalesce",
    keys: &[super::ENABLED_KEY],
    code: &["key"],
    foreign: FOREIGN,
    foreign_code: FOREIGN_CODE,
    excludes: &[],
    check: |_| Vec::new(),
};

const FOREIGN: &[Foreign] = &[
    Foreign {
        words: "sync_writes single_flight singleflight dedupe share",
        advice: "`#[coalesce]` alone does that",
    },
    Foreign {
        words: "ttl time max_age expire expires max_entries size",
        advice: "an answer goes to those who wait for it and is not kept: put `#[cache(ttl = \"30s\")]` above",
    },
    Foreign {
        words: "timeout max_wait wait",
        advice: "put `#[timeout(\"2s\")]` above to bound each wait, or below to bound the call that runs",
    },
];

const FOREIGN_CODE: &[Foreign] = &[Foreign {
    words: "by on convert group group_by keys per",
    advice: "use `key`, an expression with the arguments in scope: `key = (tenant, id)`",
}];

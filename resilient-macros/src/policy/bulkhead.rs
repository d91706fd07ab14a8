//! `#[bulkhead(…)]`: caps how many run at once.

use quote::quote;

use crate::args::Foreign;
use crate::lower::{Carries, Level, Scope};
use crate::policy::{Kind, Policy, Twice};
use crate::reader::{OTHER_NAMES, Reader};

pub(crate) static KIND: Kind = Kind {
    stem: "bulkhead",
    keys: &["name", "max_concurrent", "max_wait", "max_queue", "mode", "enabled", "crate"],
    foreign: &[
        Foreign {
            names: &[
                "max",
                "limit",
                "permits",
                "size",
                "value",
                "concurrency",
                "max_concurrency",
                "max_concurrent_calls",
                "max_parallel",
                "max_parallelization",
                "max_threads",
            ],
            advice: "use `max_concurrent`, the calls that run at once",
        },
        Foreign {
            names: &[
                "wait",
                "timeout",
                "max_wait_time",
                "max_wait_duration",
                "wait_duration",
                "queue_timeout",
            ],
            advice: "use `max_wait`, the time a call waits for a place (for a limit on the call itself put \
                     `#[timeout(\"2s\")]` above)",
        },
        Foreign {
            names: &[
                "queue",
                "queue_size",
                "queue_limit",
                "waiting",
                "max_waiting",
                "max_pending",
                "max_queued",
                "max_queuing_actions",
                "waiting_task_queue",
            ],
            advice: "use `max_queue`, the calls that wait at once",
        },
        OTHER_NAMES,
        Foreign {
            names: &["rate", "per_second"],
            advice: "a bulkhead caps calls at once, not calls per time",
        },
        Foreign {
            names: &["reject", "reject_when_full"],
            advice: "without `max_wait` a full bulkhead refuses at once",
        },
    ],
    lone: "`name = \"disk\"` and `max_concurrent = 10`",
    twice: Twice::UnderOtherNames,
    read: |reader| Box::new(Bulkhead::read(reader)),
};

pub(super) struct Bulkhead {
    /// Whether a call may wait before the layers below begin.
    waits: bool,
}

impl Bulkhead {
    /// One of which only the configuration knows more.
    pub(super) const fn unset() -> Self {
        Self { waits: true }
    }

    fn read(reader: &mut Reader<'_>) -> Self {
        reader.required_name("\"disk\"");
        let most = reader.count("max_concurrent", 1, ": it counts the calls that run at once");
        let elsewhere = reader.has_foreign() || reader.has_loose();
        if most.is_none() && !reader.has("max_concurrent") && !elsewhere {
            reader.fault("", "`#[bulkhead]` needs `max_concurrent = 10`, the calls that run at once");
        }
        let wait = reader.duration("max_wait", None);
        let waits = wait.is_some_and(|wait| wait.literal.is_none_or(|wait| !wait.is_zero()));
        reader.count("max_queue", 1, ": without `max_wait` nobody waits");
        reader.needs("max_queue", &["max_wait"], "`max_wait`, the time a call may stay in the queue");
        reader.mode();
        Self { waits }
    }
}

impl Policy for Bulkhead {
    fn takes_time(&self) -> bool {
        self.waits
    }

    fn wrap(&self, scope: &Scope<'_>, inner: Level) -> Level {
        let (p, place, class) = (scope.p(), scope.place(), scope.class());
        let level = scope.future(inner);
        level.map_future(Carries::Reply, |inner| quote!(#p::bulkhead(#p::places(#place), #inner, #class)))
    }
}

//! Policies that run calls again, beside one another, or something else instead.

use super::{Row, counter, gauge, of};
use crate::policy::Snapshot;

pub(super) const BUDGET: &[Row] = &[
    counter(
        "budget.requests",
        "Retries and hedges that asked the budget.",
        of!(Budget, |s, out| out.put_each("outcome", [("paid", s.spent), ("refused", s.refused)])),
    ),
    gauge(
        "budget.available",
        "Retries in a row that the budget would pay for.",
        of!(Budget, |s, out| out.put(s.left)),
    ),
    gauge(
        "budget.capacity",
        "Retries that calls can have earned at most.",
        of!(Budget, |s, out| out.put(s.capacity)),
    ),
];

pub(super) const FALLBACK: &[Row] = &[
    counter(
        "fallback",
        "Failed calls, by what the fallback did.",
        of!(Fallback, |s, out| out
            .put_each("outcome", [("served", s.served), ("failed", s.failed), ("passed_on", s.passed_on)])),
    ),
    gauge("fallback.entries", "Good values that are kept.", of!(Fallback, |s, out| out.put(s.entries))),
];

pub(super) const HEDGE: &[Row] = &[
    counter(
        "hedge.launched",
        "Attempts beyond the first of each call.",
        of!(Hedge, |s, out| out.put(s.hedges)),
    ),
    counter(
        "hedge.won",
        "Calls that were answered, by the attempt that did.",
        of!(Hedge, |s, out| out.put_each("winner", [("first", s.first), ("hedge", s.hedged)])),
    ),
    counter(
        "hedge.lost",
        "Calls that no attempt answered.",
        of!(Hedge, |s, out| out.put_each(
            "outcome",
            [("failed", s.failed), ("abandoned", s.abandoned), ("panicked", s.panicked)]
        )),
    ),
    counter(
        "hedge.withheld",
        "Further attempts that were due and did not start.",
        of!(Hedge, |s, out| out.put_each("reason", [("budget", s.budget), ("deadline", s.deadline)])),
    ),
    counter(
        "hedge.dropped",
        "Attempts dropped because another one had the answer.",
        of!(Hedge, |s, out| out.put(s.dropped)),
    ),
    gauge(
        "hedge.after",
        "Time after which an attempt is slow.",
        of!(Hedge, |s, out| if let Some(after) = s.after {
            out.put(after);
        }),
    )
    .seconds(),
];

pub(super) const RETRY: &[Row] = &[
    counter(
        "retry.calls",
        "Calls, by how they ended.",
        of!(Retry, |s, out| out.put_each(
            "outcome",
            [
                ("first_try", s.first_try),
                ("after_retry", s.after_retry),
                ("exhausted", s.exhausted),
                ("not_retryable", s.not_retryable),
                ("deadline", s.deadline),
                ("budget", s.budget),
                ("retry_after", s.retry_after),
                ("once", s.once),
                ("abandoned", s.abandoned),
                ("panicked", s.panicked),
            ]
        )),
    ),
    counter(
        "retry.attempts",
        "Attempts, the first counted when its call is over.",
        of!(Retry, |s, out| out.put(s.attempts())),
    ),
    counter(
        "retry.retries",
        "Attempts beyond the first of each call.",
        of!(Retry, |s, out| out.put(s.retries)),
    ),
    counter(
        "retry.nested",
        "Attempts beyond the first made inside an attempt of another retry.",
        of!(Retry, |s, out| out.put(s.nested)),
    ),
];

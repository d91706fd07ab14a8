//! Policies that refuse calls, let them wait, or give them up.

use super::{Row, counter, gauge, of};
use crate::policy::{ByPriority, Snapshot};

pub(super) const BULKHEAD: &[Row] = &[
    gauge("bulkhead.in_flight", "Calls that run.", of!(Bulkhead, |s, out| out.put(s.running))),
    gauge("bulkhead.limit", "Calls that may run at once.", of!(Bulkhead, |s, out| out.put(s.max_concurrent))),
    gauge("bulkhead.queued", "Calls that wait for a place.", of!(Bulkhead, |s, out| out.put(s.waiting))),
    counter("bulkhead.admitted", "Calls that got a place.", of!(Bulkhead, |s, out| out.put(s.admitted))),
    counter(
        "bulkhead.waited",
        "Calls that got a place and had to wait for it.",
        of!(Bulkhead, |s, out| out.put(s.waited)),
    ),
    counter(
        "bulkhead.wait",
        "Time that calls had waited when they got a place.",
        of!(Bulkhead, |s, out| out.put(s.wait_time)),
    )
    .seconds(),
    counter("bulkhead.rejected", "Calls that were refused.", of!(Bulkhead, |s, out| out.put(s.rejected))),
    counter(
        "bulkhead.would_reject",
        "Calls that passed only because the bulkhead observes.",
        of!(Bulkhead, |s, out| out.put(s.would_reject)),
    ),
    counter(
        "bulkhead.would_wait",
        "Calls that waited for no place only because the bulkhead observes.",
        of!(Bulkhead, |s, out| out.put(s.would_wait)),
    ),
    counter(
        "bulkhead.abandoned",
        "Calls that were dropped while they waited.",
        of!(Bulkhead, |s, out| out.put(s.abandoned)),
    ),
];

const fn by_priority(calls: ByPriority) -> [(&'static str, u64); 4] {
    let ByPriority { critical, important, normal, optional } = calls;
    [("critical", critical), ("important", important), ("normal", normal), ("optional", optional)]
}

pub(super) const LOAD_SHED: &[Row] = &[
    counter(
        "load_shed.admitted",
        "Calls that were admitted, by importance.",
        of!(LoadShed, |s, out| out.put_each("priority", by_priority(s.admitted))),
    ),
    counter(
        "load_shed.rejected",
        "Calls that were refused, by importance.",
        of!(LoadShed, |s, out| out.put_each("priority", by_priority(s.rejected))),
    ),
    counter(
        "load_shed.would_reject",
        "Calls that passed only because the load shedder observes, by importance.",
        of!(LoadShed, |s, out| out.put_each("priority", by_priority(s.would_reject))),
    ),
    gauge("load_shed.limit", "Calls that may be under way.", of!(LoadShed, |s, out| out.put(s.limit))),
    gauge("load_shed.in_flight", "Calls under way.", of!(LoadShed, |s, out| out.put(s.running))),
    gauge(
        "load_shed.overloaded",
        "1 while calls are refused, 0 otherwise.",
        of!(LoadShed, |s, out| out.put(s.overloaded)),
    ),
    gauge(
        "load_shed.refused_ratio",
        "Share of all calls that is refused when throttling.",
        of!(LoadShed, |s, out| out.put(s.share)),
    )
    .ratio(),
    gauge(
        "load_shed.queue_time",
        "How much longer calls took last than a call alone.",
        of!(LoadShed, |s, out| out.put(s.queue_time)),
    )
    .seconds(),
];

pub(super) const RATE_LIMIT: &[Row] = &[
    counter(
        "rate_limit.decisions",
        "Calls, by what was decided.",
        of!(RateLimit, |s, out| {
            let allowed = s.admitted.saturating_sub(s.waited).saturating_sub(s.would_reject);
            let decisions = [
                ("allowed", allowed),
                ("delayed", s.waited),
                ("rejected", s.rejected),
                ("would_reject", s.would_reject),
                ("abandoned", s.abandoned),
            ];
            for (decision, calls) in decisions {
                out.put_as(&[("decision", decision), ("scope", "process")], calls);
            }
        }),
    ),
    counter(
        "rate_limit.wait",
        "Time that calls had waited when they got a permit.",
        of!(RateLimit, |s, out| out.put(s.wait_time)),
    )
    .seconds(),
    gauge(
        "rate_limit.available",
        "Permits that are there; of a limit with keys, nobody's.",
        of!(RateLimit, |s, out| out.put(s.available)),
    ),
    gauge("rate_limit.burst", "Permits that gather at most.", of!(RateLimit, |s, out| out.put(s.burst))),
    gauge("rate_limit.queued", "Calls that wait for a permit.", of!(RateLimit, |s, out| out.put(s.waiting))),
    gauge(
        "rate_limit.keys",
        "Keys that have permits of their own.",
        of!(RateLimit, |s, out| out.put(s.keys)),
    ),
];

pub(super) const TIMEOUT: &[Row] = &[
    counter(
        "timeout.calls",
        "Calls, by how they ended.",
        of!(Timeout, |s, out| out.put_each(
            "outcome",
            [
                ("succeeded", s.succeeded),
                ("failed", s.failed),
                ("timed_out", s.timed_out),
                ("abandoned", s.abandoned),
                ("panicked", s.panicked),
            ]
        )),
    ),
    counter(
        "timeout.would_time_out",
        "Calls that took longer and went on only because the timeout observes.",
        of!(Timeout, |s, out| out.put(s.would_time_out)),
    ),
    gauge("timeout.limit", "Time that a call may take.", of!(Timeout, |s, out| out.put(s.limit))).seconds(),
];

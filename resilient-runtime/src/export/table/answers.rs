//! Policies that let calls share answers.

use super::{Row, counter, gauge, of};
use crate::policy::Snapshot;

#[cfg(feature = "cache")]
pub(super) const CACHE: &[Row] = &[
    counter(
        "cache.requests",
        "Calls, by what answered them.",
        of!(Cache, |s, out| out
            .put_each("result", [("hit", s.hits), ("miss", s.misses), ("stale", s.stale_while_revalidated)])),
    ),
    counter(
        "cache.stale_on_error",
        "Misses that failed and were answered with a stale value.",
        of!(Cache, |s, out| out.put(s.stale_on_error)),
    ),
    counter("cache.stored", "Values that were kept.", of!(Cache, |s, out| out.put(s.stored))),
    counter(
        "cache.refreshed",
        "Values that were renewed while others got the stale one.",
        of!(Cache, |s, out| out.put(s.refreshed)),
    ),
    counter(
        "cache.evicted",
        "Values that had to make room for others.",
        of!(Cache, |s, out| out.put(s.evicted)),
    ),
    gauge("cache.entries", "Values that are kept.", of!(Cache, |s, out| out.put(s.entries))),
];

pub(super) const COALESCE: &[Row] = &[
    counter(
        "coalesce.calls",
        "Calls, by their part in a flight; who takes one over has two.",
        of!(Coalesce, |s, out| out
            .put_each("role", [("leader", s.flights), ("follower", s.joined), ("alone", s.alone)])),
    ),
    counter(
        "coalesce.handed_over",
        "Flights whose leader went and left them to another.",
        of!(Coalesce, |s, out| out.put(s.handed_over)),
    ),
    counter(
        "coalesce.timed_out",
        "Calls whose deadline passed while they waited.",
        of!(Coalesce, |s, out| out.put(s.timed_out)),
    ),
    gauge("coalesce.in_flight", "Flights under way.", of!(Coalesce, |s, out| out.put(s.in_flight))),
    gauge("coalesce.queued", "Calls that wait for a flight.", of!(Coalesce, |s, out| out.put(s.waiting))),
];

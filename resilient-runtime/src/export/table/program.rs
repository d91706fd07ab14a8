//! What concerns more than one kind of policy, or none.

use super::{Row, Source};
use crate::export::Kind;
use crate::policy::{CircuitState, Mode, Snapshot};

pub(super) const CONFIG: &[Row] = &[
    Row::new(
        Kind::Gauge,
        "config.age",
        "Time that the configuration has been in force.",
        Source::World(|world, out| out.put(world.in_force.age())),
    )
    .seconds(),
    #[cfg(feature = "config")]
    Row::new(
        Kind::Counter,
        "config.reloads",
        "Times that files were read anew, by what became of it.",
        Source::World(|world, out| {
            let reloads = &world.in_force;
            out.put_each("result", [("applied", reloads.applied()), ("refused", reloads.refused())]);
        }),
    ),
];

pub(super) const POLICY: &[Row] = &[Row::new(
    Kind::Gauge,
    "policy.mode",
    "1 for what the policy is told to do, 0 for what else it could be told.",
    Source::Policies(|snapshot, out| {
        let Some((enabled, observes)) = told(snapshot) else { return };
        let mut put = |mode, on| out.put_as(&[("kind", snapshot.stem()), ("mode", mode)], on);
        put(Mode::Enforce.as_str(), enabled && observes != Some(true));
        if let Some(observes) = observes {
            put(Mode::Observe.as_str(), enabled && observes);
        }
        put("off", !enabled);
    }),
)];

/// Whether a policy is to do anything, and whether it is only to observe, if it can.
fn told(snapshot: &Snapshot) -> Option<(bool, Option<bool>)> {
    Some(match snapshot {
        Snapshot::Budget(it) => (it.enabled, None),
        Snapshot::Bulkhead(it) => (it.enabled, Some(it.observes)),
        #[cfg(feature = "cache")]
        Snapshot::Cache(it) => (it.enabled, None),
        // Which may also be switched off by hand.
        Snapshot::CircuitBreaker(it) => {
            (it.state != CircuitState::Disabled, Some(it.state == CircuitState::Observing))
        }
        Snapshot::Coalesce(it) => (it.enabled, None),
        Snapshot::Fallback(it) => (it.enabled, None),
        #[cfg(feature = "health")]
        Snapshot::HealthCheck(_) => return None,
        Snapshot::Hedge(it) => (it.enabled, None),
        Snapshot::LoadShed(it) => (it.enabled, Some(it.observes)),
        Snapshot::RateLimit(it) => (it.enabled, Some(it.observes)),
        Snapshot::Retry(it) => (it.enabled, None),
        Snapshot::Timeout(it) => (it.enabled, Some(it.observes)),
    })
}

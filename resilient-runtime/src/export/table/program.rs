//! What concerns more than one kind of policy, or none.

use super::{Row, Source};
use crate::export::Kind;
use crate::policy::Mode;
#[cfg(feature = "health")]
use crate::policy::Snapshot;

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
        #[cfg(feature = "health")]
        if let Snapshot::HealthCheck(_) = snapshot {
            return;
        }
        let (enabled, observes) = (snapshot.is_enabled(), snapshot.observes());
        let mut put = |mode, on| out.put_as(&[("kind", snapshot.stem()), ("mode", mode)], on);
        put(Mode::Enforce.as_str(), enabled && observes != Some(true));
        if let Some(observes) = observes {
            put(Mode::Observe.as_str(), enabled && observes);
        }
        put("off", !enabled);
    }),
)];

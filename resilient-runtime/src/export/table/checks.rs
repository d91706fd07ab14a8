//! Health checks.

use super::{Row, Samples, Source};
use crate::export::Kind;
use crate::health::{self, HealthStatus};
use crate::registry::World;

const fn of_checks(
    kind: Kind,
    name: &'static str,
    help: &'static str,
    fill: fn(&'static World, &mut Samples),
) -> Row {
    Row::new(kind, name, help, Source::World(fill))
}

/// Reads every check there is.
macro_rules! each {
    (|$check:ident, $out:ident| $fill:expr) => {
        |world, $out| {
            for $check in health::counted(world) {
                $out.policy = Some($check.name);
                $fill;
            }
        }
    };
}

pub(super) const HEALTH_CHECK: &[Row] = &[
    of_checks(
        Kind::Gauge,
        "health_check.status",
        "1 for the status of the check, 0 for the others.",
        each!(|check, out| for status in [HealthStatus::Up, HealthStatus::Down, HealthStatus::Unknown] {
            out.put_as(&[("status", status.as_str())], check.status == status);
        }),
    ),
    of_checks(
        Kind::Gauge,
        "health_check.critical",
        "1 where the program is not ready while the check fails, 0 otherwise.",
        each!(|check, out| out.put(check.critical)),
    ),
    of_checks(
        Kind::Counter,
        "health_check.runs",
        "Runs of the check, by how they ended.",
        each!(|check, out| out.put_each(
            "outcome",
            [
                ("passed", check.passed),
                ("failed", check.failed),
                ("timed_out", check.timed_out),
                ("panicked", check.panicked),
            ]
        )),
    ),
    of_checks(
        Kind::Gauge,
        "health_check.age",
        "Time since the last run ended.",
        each!(|check, out| if let Some(age) = check.age {
            out.put(age);
        }),
    )
    .seconds(),
    of_checks(
        Kind::Gauge,
        "health_check.duration",
        "Time that the last run took.",
        each!(|check, out| if let Some(took) = check.took {
            out.put(took);
        }),
    )
    .seconds(),
];

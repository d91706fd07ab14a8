//! Whether this program lives, is ready for calls, and how its policies are.
//!
//! Checks run in the background once somebody starts them; whoever asks reads what they last found out.

mod check;
mod error;
mod json;
mod policies;
pub(crate) mod probe;
mod readiness;
mod report;
mod settings;
mod tasks;

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use self::check::{Check, STEM};
pub use self::check::{CheckFailure, HealthCheckSnapshot};
pub use self::error::HealthError;
pub use self::policies::PolicyHealth;
pub use self::readiness::Readiness;
pub use self::report::{HealthReport, HealthStatus};
pub use self::settings::HealthCheck;
pub use self::tasks::HealthTasks;

use resilient_settings::Written;
use resilient_settings::stem::circuit_breaker as slot;

use self::tasks::{Running, repeated};
use crate::configure::{ConfigFault, Layers, Merged};
use crate::names::nearest;
use crate::policy::Stem;
use crate::policy::circuit_breaker::{News, Says};
use crate::registry::{World, registry};
#[cfg(feature = "export")]
use crate::tally::Tally;

/// A handle on the checks of this program, and on what they found out.
#[derive(Clone, Copy, Debug)]
pub struct Health(&'static World);

/// How this program is: alive, ready for calls, and what its policies do.
///
/// With the feature `test-util`, that of the current tokio runtime.
///
/// ```
/// use resilient_runtime::{HealthStatus, health, health_check};
///
/// #[health_check(name = "database", critical)]
/// async fn database() -> std::io::Result<()> {
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), resilient_runtime::HealthError> {
/// let _checks = health().start()?;
/// # tokio::time::sleep(std::time::Duration::from_secs(2)).await;
/// let ready = health().ready();
/// assert_eq!((ready.status, ready.http_status()), (HealthStatus::Up, 200));
/// # Ok(())
/// # }
/// ```
///
/// Whatever serves HTTP can tell it, such as axum:
///
/// ```
/// use axum::http::{StatusCode, header::CONTENT_TYPE};
/// use axum::{Router, response::IntoResponse, routing::get};
/// use resilient_runtime::{HealthReport, health};
///
/// fn answer(report: HealthReport) -> impl IntoResponse {
///     let status = StatusCode::from_u16(report.http_status()).unwrap_or_default();
///     (status, [(CONTENT_TYPE, "application/json")], report.to_json())
/// }
///
/// let routes: Router = Router::new()
///     .route("/health/live", get(async || answer(health().live())))
///     .route("/health/ready", get(async || answer(health().ready())))
///     .route("/health/policies", get(async || answer(health().policies())));
/// ```
#[must_use]
pub fn health() -> Health {
    Health(registry().0)
}

/// The checks there are.
pub(crate) fn names(world: &World) -> Vec<&'static str> {
    all(world).into_iter().map(Check::name).collect()
}

/// The same by their names, in their order.
fn all(world: &World) -> Vec<&'static Check> {
    let checks = world.all_of::<Check>();
    checks.into_iter().filter(|check| check.source().is_some()).collect()
}

/// What is known of each check, counted since the first day.
#[cfg(feature = "export")]
pub(crate) fn counted(world: &World) -> Vec<HealthCheckSnapshot> {
    all(world).into_iter().map(|check| check.count(Tally::sum)).collect()
}

/// The word for no check at all.
pub(crate) const NO_CHECK: &str = "none";

/// Tells the policies what the checks last found out.
pub(crate) fn tell(world: &'static World) {
    let nothing = || News { number: world.checks.latest(), says: Says::Unknown };
    let of = |name: Option<&str>| {
        let check: Option<&Check> = name.and_then(|name| world.find(name));
        check.map_or_else(nothing, |check| check.news(&world.checks))
    };
    world.inside(|| world.all().into_iter().for_each(|policy| contained(|| policy.heed(&of))));
}

/// Does what others listen to: if one of them panics, the rest is told all the same, and no check ends.
fn contained(tell: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(tell)) {
        discard(payload);
    }
}

/// What a panic carries may itself panic when it goes.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(another);
    }
}

/// What is wrong with checks, and with the names that breakers go by.
pub(crate) fn faults(world: &World, merged: &Merged, layers: &Layers) -> Vec<ConfigFault> {
    let known = names(world);
    let mut faults = repeated();
    for (&(stem, name), laid) in merged.iter().filter(|((stem, _), _)| *stem == slot::TABLE.name) {
        let Some(check) = laid.written.word(slot::HEALTH).filter(|check| *check != NO_CHECK) else {
            continue;
        };
        if !known.contains(&check) && !layers.expects(check) {
            let origin = laid.blamed(&slot::TABLE, "health", &[]);
            faults.push(ConfigFault::new([stem, name, "health"], nobody_has(check, &known), origin));
        }
    }
    faults
}

fn nobody_has(check: &str, known: &[&'static str]) -> String {
    match nearest(check, known.iter().copied()) {
        Some(meant) => format!("no health check is called `{check}`; did you mean `{meant}`?"),
        None if known.is_empty() => format!("no health check is called `{check}`; there is none at all"),
        None => format!("no health check is called `{check}`; there are `{}`", known.join("`, `")),
    }
}

/// Says that settings have no effect where the registry does not know the policy.
pub(crate) fn warn_unless_known(stem: &'static Stem, name: &'static str, written: &Written, slots: &[usize]) {
    for &slot in slots {
        if let (Some(_), Some(key)) = (written.get(slot), stem.keys.get(slot)) {
            let (stem, key) = (stem.name, key.name);
            tracing::warn!(
                target: "resilient",
                stem,
                policy = name,
                "{stem} `{name}`: `{key}` has no effect on one made by hand"
            );
        }
    }
}

/// What the checks of one world share.
pub(crate) struct Checks {
    running: Mutex<Option<Running>>,
    /// Numbers what is found out, so that what comes late is known to be old.
    findings: AtomicU32,
    /// Numbers the times that checks were started.
    starts: AtomicU64,
}

impl Checks {
    pub(crate) const fn new() -> Self {
        Self { running: Mutex::new(None), findings: AtomicU32::new(0), starts: AtomicU64::new(0) }
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the last finding.
    fn latest(&self) -> u32 {
        self.findings.load(Relaxed)
    }

    fn next_finding(&self) -> u32 {
        // Zero is what nobody has found out.
        self.findings.fetch_add(1, Relaxed).wrapping_add(1).max(1)
    }

    fn next_start(&self) -> u64 {
        self.starts.fetch_add(1, Relaxed) + 1
    }
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks").field("findings", &self.findings).finish_non_exhaustive()
    }
}

//! Settings that change while the program runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use resilient_settings::Value;
use resilient_settings::stem::{Table, general};
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, spawn_blocking};

use super::check::{Checked, check};
use super::laid::Laid;
use super::sources::Content;
use super::{ConfigError, ConfigFault, Configure, Layers, kind, merge, shown};
use crate::clock;
use crate::events::{CONFIG, EventKind, Settings};
use crate::registry::{Registry, World, registry};

/// One setting that a reload changed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ConfigChange {
    /// Kind of policy, or `"resilient"` for what concerns all.
    pub stem: &'static str,
    /// Name of the policy, `"log"` for the level of an event, or empty.
    pub policy: &'static str,
    /// The key.
    pub key: &'static str,
    /// What was written, if anything was.
    pub old: Option<Value>,
    /// What is written now.
    pub new: Option<Value>,
}

/// `circuit_breaker.payments.failure_threshold: 5 -> 3`
impl fmt::Display for ConfigChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stem, policy, key, old, new } = self;
        let shown =
            |value: &Option<Value>| value.map_or("default".to_owned(), |value| shown(stem, key, value));
        let path = [*stem, *policy, *key].into_iter().filter(|part| !part.is_empty());
        write!(f, "{}: {} -> {}", resilient_settings::words::dotted(path), shown(old), shown(new))
    }
}

impl Configure {
    /// Looks so often whether a file has changed, and goes by it then. **Default: never.**
    ///
    /// The same as `reload = "5s"` under `[resilient]` of a file, and at least 100 ms. Files are read by path
    /// and compared by content, so a mounted directory may be swapped for another one. It goes on for as long
    /// as the tokio runtime that [`install`](Self::install) was called in, or until the next `install`. What
    /// is wrong is an event (`refused`, at `ERROR`) once per change, and the last good settings stay in
    /// force.
    #[track_caller]
    pub fn reload(self, every: Duration) -> Self {
        self.general(general::RELOAD, Value::Time(every))
    }

    /// Reads the files anew when the process is told to hang up (`SIGHUP`).
    ///
    /// It needs a tokio runtime with IO enabled, as `#[tokio::main]` makes it.
    #[cfg(unix)]
    pub fn reload_on_hangup(mut self) -> Self {
        self.layers.on_hangup = true;
        self
    }
}

/// Reads the files of the configuration anew and takes over what they say.
///
/// Calls under way end under the settings they began with, and policies keep what they have learned. The answer
/// tells what has changed. Blocks while files are read.
///
/// # Errors
///
/// [`ConfigError`] with everything that is wrong with them; the settings in force stay.
pub fn reload() -> Result<Vec<ConfigChange>, ConfigError> {
    registry().reload()
}

impl Registry {
    /// Reads the files of the configuration anew, as [`reload`](crate::reload) does.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with everything that is wrong with them; the settings in force stay.
    pub fn reload(self) -> Result<Vec<ConfigChange>, ConfigError> {
        loop {
            let (number, layers) = self.0.state();
            let contents = layers.contents();
            // What was installed meanwhile has other sources, and what was refused is newer.
            if let Some(result) = renew(self.0, (number, layers), &contents) {
                return result;
            }
        }
    }
}

/// Takes over what files hold now, unless something was installed or refused since they were read.
fn renew(
    world: &'static World,
    (number, layers): (u64, Layers),
    contents: &[Content],
) -> Option<Result<Vec<ConfigChange>, ConfigError>> {
    let (before, _) = merge(world, &layers);
    let (general, events) = (layers.said.general.clone(), layers.said.events.clone());
    let every = interval(&layers);
    match check(world, layers, contents) {
        Err(error) if world.note(number, |layers| layers.judged = contents.into()) => {
            #[cfg(feature = "export")]
            world.in_force.reloaded(false);
            let refused = EventKind::ConfigRefused { error: Arc::new(error.clone()) };
            world.bus.emit(CONFIG.0, CONFIG.1, None, &refused);
            Some(Err(error))
        }
        Err(_) => None,
        Ok(Checked { layers, merged, warnings }) => {
            let mut changes = Vec::new();
            compare((&general::TABLE, ""), (&general, &layers.said.general), &mut changes);
            compare_levels(&events, &layers.said.events, &mut changes);
            let (nothing, policies) = (Laid::new(), before.keys().chain(merged.keys()));
            let policies: BTreeSet<_> = policies.collect();
            for name in policies {
                let Some(stem) = kind(name.0) else { continue };
                let (old, new) = (before.get(name), merged.get(name));
                let laid = (old.unwrap_or(&nothing), new.unwrap_or(&nothing));
                compare((stem, name.1), laid, &mut changes);
            }
            let next = interval(&layers);
            if !world.replace(layers, merged, Some(number)) {
                return None;
            }
            #[cfg(feature = "export")]
            world.in_force.reloaded(true);
            warnings.iter().for_each(ConfigFault::warn);
            let reloaded = EventKind::ConfigReloaded { changes: changes.as_slice().into() };
            world.bus.emit(CONFIG.0, CONFIG.1, None, &reloaded);
            if next != every {
                look(world);
            }
            Some(Ok(changes))
        }
    }
}

fn compare(
    (table, policy): (&Table, &'static str),
    (old, new): (&Laid, &Laid),
    changes: &mut Vec<ConfigChange>,
) {
    for (index, key) in table.keys.iter().enumerate() {
        let (old, new) = (old.written.get(index), new.written.get(index));
        if old != new {
            changes.push(ConfigChange { stem: table.name, policy, key: key.name, old, new });
        }
    }
}

fn compare_levels(old: &Settings, new: &Settings, changes: &mut Vec<ConfigChange>) {
    let (old, new) = (old.by_event(), new.by_event());
    let events: BTreeSet<_> = old.keys().chain(new.keys()).copied().collect();
    for key in events {
        let of = |levels: &BTreeMap<_, (Value, _)>| levels.get(key).map(|(level, _)| *level);
        let (old, new) = (of(&old), of(&new));
        if old != new {
            changes.push(ConfigChange { stem: general::TABLE.name, policy: general::LOG, key, old, new });
        }
    }
}

fn interval(layers: &Layers) -> Option<Duration> {
    layers.said.general.written.time(general::RELOAD)
}

/// Who watches the files, and where.
#[derive(Debug, Default)]
pub(crate) struct Watching {
    /// That of the `install`: a reload may be called from a thread that has none, or in one that ends soon.
    runtime: Option<Handle>,
    poll: Option<AbortHandle>,
    hangup: Option<AbortHandle>,
}

/// Begins to watch the files of what is installed, in place of what was watched before.
pub(super) fn watch(world: &'static World) {
    loop {
        let (number, layers) = world.state();
        // A handle keeps open what its runtime had opened, so none is kept for nothing.
        let watched = layers.on_hangup || interval(&layers).is_some() || layers.files().next().is_some();
        let runtime = if watched { Handle::try_current().ok() } else { None };
        // Not under the lock: who cannot hear a signal is told so, by a log and a panic hook of the user's.
        let hangup = runtime.as_ref().and_then(|runtime| on_hangup(world, &layers, runtime));
        let mut replaced = Watching { runtime, poll: None, hangup };
        let mut watching = world.watching();
        // Whoever installed something else meanwhile may have been here already.
        let newest = world.state().0 == number;
        if newest {
            std::mem::swap(&mut *watching, &mut replaced);
        }
        drop(watching);
        replaced.poll.iter().chain(&replaced.hangup).for_each(AbortHandle::abort);
        if newest {
            return look(world);
        }
    }
}

/// Looks at the files as often as is said now, which may be never.
fn look(world: &'static World) {
    let mut watching = world.watching();
    // Read under the lock: of two that come together, the one that is later knows the later interval.
    let (_, layers) = world.state();
    let (every, runtime) = (interval(&layers), watching.runtime.as_ref());
    let unwatched = runtime.is_none() && (every.is_some() || layers.on_hangup);
    let begin = |(every, runtime): (Duration, &Handle)| runtime.spawn(poll(world, every)).abort_handle();
    let next = every.zip(runtime).map(begin);
    let before = std::mem::replace(&mut watching.poll, next);
    drop(watching);
    before.iter().for_each(AbortHandle::abort);
    if unwatched {
        tracing::warn!(target: "resilient", "files are not watched: `install` was not called in a tokio runtime");
    }
}

async fn poll(world: &'static World, every: Duration) {
    loop {
        clock::sleep_until(clock::now() + every).await;
        let looked = spawn_blocking(move || {
            let (number, layers) = world.state();
            let contents = layers.contents();
            // A poll that remembered by itself would tell once more what a call has told, and take for known what
            // was never judged because a call came in between.
            if contents != *layers.judged {
                // What is wrong has been told.
                let _ = renew(world, (number, layers), &contents);
            }
        });
        // It is cancelled where the runtime ends. A panic is that of somebody who listens to the log.
        if looked.await.is_err_and(|error| error.is_cancelled()) {
            return;
        }
    }
}

#[cfg(unix)]
fn on_hangup(world: &'static World, layers: &Layers, runtime: &Handle) -> Option<AbortHandle> {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use tokio::signal::unix::{SignalKind, signal};

    if !layers.on_hangup {
        return None;
    }
    // It panics in a runtime without IO.
    let signals = catch_unwind(AssertUnwindSafe(|| signal(SignalKind::hangup())));
    let Ok(Ok(mut signals)) = signals else {
        tracing::warn!(target: "resilient", "SIGHUP is not heard: the tokio runtime has no IO");
        return None;
    };
    let task = runtime.spawn(async move {
        while signals.recv().await.is_some() {
            // What is wrong has been told.
            let _ = spawn_blocking(move || Registry(world).reload()).await;
        }
    });
    Some(task.abort_handle())
}

#[cfg(not(unix))]
fn on_hangup(_: &World, _: &Layers, _: &Handle) -> Option<AbortHandle> {
    None
}

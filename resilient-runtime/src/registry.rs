//! Named policies: declared by annotated functions, found, reported and reset by name.

use std::any::Any;
#[cfg(feature = "test-util")]
use std::cell::Cell;
use std::collections::BTreeMap;
#[cfg(feature = "test-util")]
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use resilient_settings::Written;

use crate::configure::{self, Laid, Layers, Merged};
use crate::events::{Bus, EventKind, Subscription};
use crate::function::Function;
#[cfg(feature = "health")]
use crate::health::Checks;
#[cfg(feature = "export")]
use crate::in_force::InForce;
use crate::policy::{Named, Policy, STEMS, Snapshot};
use crate::record::functions;
use crate::tally::{Since, Tally};
#[cfg(any(feature = "trace", feature = "latency"))]
use crate::watch::Stations;

/// Names to policies of one stem; policies live as long as the program.
type Policies = BTreeMap<(&'static str, &'static str), &'static dyn Policy>;

/// One world of policies: the program's, or that of a test's runtime.
pub(crate) struct World {
    policies: RwLock<Policies>,
    installed: Mutex<Layers>,
    /// Of what is installed, and of what was refused since; changes while that is locked.
    number: AtomicU64,
    #[cfg(feature = "config")]
    watching: Mutex<configure::Watching>,
    pub(crate) bus: Bus,
    #[cfg(feature = "export")]
    pub(crate) in_force: InForce,
    #[cfg(feature = "export")]
    pub(crate) told: crate::export::Told,
    #[cfg(feature = "health")]
    pub(crate) checks: Checks,
    #[cfg(any(feature = "trace", feature = "latency"))]
    pub(crate) stations: Stations,
    #[cfg(feature = "test-util")]
    pub(crate) generator: Mutex<Option<rand::rngs::StdRng>>,
}

impl World {
    /// A world of its own, and what its functions disagree about. The caller says so once no
    /// lock is held: whoever listens to the log may ask the registry.
    fn new(installed: Layers) -> (Self, Vec<configure::Clash>) {
        let world = Self {
            policies: RwLock::default(),
            installed: Mutex::new(installed),
            number: AtomicU64::new(0),
            #[cfg(feature = "config")]
            watching: Mutex::default(),
            bus: Bus::new(),
            #[cfg(feature = "export")]
            in_force: InForce::new(),
            #[cfg(feature = "export")]
            told: crate::export::Told::default(),
            #[cfg(feature = "health")]
            checks: Checks::new(),
            #[cfg(any(feature = "trace", feature = "latency"))]
            stations: Stations::default(),
            #[cfg(feature = "test-util")]
            generator: Mutex::new(None),
        };
        let (merged, clashes) = configure::merge(&world, &world.installed());
        world.put(&merged);
        (world, clashes)
    }

    pub(crate) fn installed(&self) -> MutexGuard<'_, Layers> {
        self.installed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is installed, with the number of its installation.
    #[cfg(feature = "config")]
    pub(crate) fn state(&self) -> (u64, Layers) {
        let installed = self.installed();
        (self.number.load(Relaxed), installed.clone())
    }

    /// Notes something of what is installed, unless that has changed since its `number` was asked for.
    #[cfg(feature = "config")]
    pub(crate) fn note(&self, number: u64, note: impl FnOnce(&mut Layers)) -> bool {
        let mut installed = self.installed();
        let unchanged = self.number.load(Relaxed) == number;
        if unchanged {
            note(&mut installed);
            // Who judges older contents has to look again.
            self.number.fetch_add(1, Relaxed);
        }
        unchanged
    }

    /// Who watches the files.
    #[cfg(feature = "config")]
    pub(crate) fn watching(&self) -> MutexGuard<'_, configure::Watching> {
        self.watching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts merged settings in force: known policies change in place, new ones are made, and
    /// those that nobody mentions any more go back to the defaults. Does nothing where they were made
    /// for an installation that has been replaced since, whose number is `made_for`.
    pub(crate) fn replace(&'static self, layers: Layers, mut merged: Merged, made_for: Option<u64>) -> bool {
        let mut installed = self.installed();
        if made_for.is_some_and(|number| number != self.number.load(Relaxed)) {
            return false;
        }
        let mut number = self.number.fetch_add(1, Relaxed) + 1;
        *installed = layers;
        #[cfg(feature = "export")]
        self.in_force.begin();
        drop(installed);
        loop {
            self.put(&merged);
            let installed = self.installed();
            let now = self.number.load(Relaxed);
            if now == number {
                break;
            }
            // Another installation came in between, and its settings may have been overwritten with these.
            number = now;
            let layers = installed.clone();
            drop(installed);
            (merged, _) = configure::merge(self, &layers);
        }
        self.inside(|| self.all().into_iter().for_each(Policy::announce));
        #[cfg(feature = "health")]
        crate::health::tell(self);
        true
    }

    /// Acts on policies that raise events, which are of this world whichever runtime the thread is in.
    #[cfg_attr(not(feature = "test-util"), expect(clippy::unused_self, reason = "there is but one world"))]
    pub(crate) fn inside(&'static self, act: impl FnOnce()) {
        #[cfg(feature = "test-util")]
        let _inside = Inside::enter(self);
        act();
    }

    /// No lock is held while a policy takes over its settings: a smaller cache drops values of the user's.
    fn put(&self, merged: &Merged) {
        let mut policies = self.policies.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Vec::new();
        for (&(stem, name), Laid { written, .. }) in merged {
            if let Some(policy) = policies.get(&(stem, name)) {
                changed.push((*policy, *written));
            } else if let Some(kind) = STEMS.iter().find(|kind| kind.name == stem) {
                policies.insert((stem, name), (kind.create)(name, written));
            }
        }
        let forgotten = policies.iter().filter(|(key, _)| !merged.contains_key(key));
        changed.extend(forgotten.map(|(_, policy)| (*policy, Written::NOTHING)));
        drop(policies);
        for (policy, written) in changed {
            policy.apply(&written);
        }
        let installed = self.installed();
        self.bus.apply(&installed.said.events);
        #[cfg(any(feature = "trace", feature = "latency"))]
        self.stations.apply(&installed.watch);
    }

    fn policy(&self, stem: &str, name: &str) -> Option<&'static dyn Policy> {
        lookup(&self.policies.read().unwrap_or_else(PoisonError::into_inner), stem, name)
    }

    pub(crate) fn find<P: Named>(&self, name: &str) -> Option<&'static P> {
        let policy: &'static dyn Any = self.policy(P::STEM.name, name)?;
        policy.downcast_ref()
    }

    pub(crate) fn get_or_create<P: Named>(&self, name: &'static str) -> &'static P {
        loop {
            if let Some(policy) = self.find(name) {
                return policy;
            }
            let mut policies = self.policies.write().unwrap_or_else(PoisonError::into_inner);
            policies.entry((P::STEM.name, name)).or_insert_with(|| (P::STEM.create)(name, &Written::NOTHING));
        }
    }

    /// All policies of one kind.
    #[cfg(feature = "health")]
    pub(crate) fn all_of<P: Named>(&self) -> Vec<&'static P> {
        let of_kind = |policy: &'static dyn Policy| (policy as &'static dyn Any).downcast_ref();
        self.all().into_iter().filter_map(of_kind).collect()
    }

    #[cfg(feature = "otel")]
    fn all_with(&self, stem: &str) -> Vec<&'static dyn Policy> {
        let policies = self.policies.read().unwrap_or_else(PoisonError::into_inner);
        policies.iter().filter(|((of, _), _)| *of == stem).map(|(_, policy)| *policy).collect()
    }

    pub(crate) fn all(&self) -> Vec<&'static dyn Policy> {
        self.policies.read().unwrap_or_else(PoisonError::into_inner).values().copied().collect()
    }
}

/// The map's keys are static, but the name asked for need not be.
fn lookup<'a>(
    policies: &BTreeMap<(&'a str, &'a str), &'static dyn Policy>,
    stem: &'a str,
    name: &'a str,
) -> Option<&'static dyn Policy> {
    policies.get(&(stem, name)).copied()
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("policies", &self.all()).finish_non_exhaustive()
    }
}

/// A handle on the named policies of this program.
#[derive(Clone, Copy, Debug)]
pub struct Registry(pub(crate) &'static World);

/// The named policies of this program.
///
/// With the feature `test-util`, those of the current tokio runtime.
///
/// ```
/// use resilient_runtime::{Rejected, registry, timeout};
///
/// #[timeout("2s", name = "quotes")]
/// async fn quote() -> std::io::Result<u32> {
///     Ok(42)
/// }
///
/// let quotes = registry().timeout("quotes").expect("a function uses it");
/// for policy in registry().snapshots() {
///     println!("{policy:?}");
/// }
/// ```
#[must_use]
pub fn registry() -> Registry {
    Registry(world())
}

static PROGRAM: OnceLock<World> = OnceLock::new();

#[cold]
fn program() -> &'static World {
    let mut clashes = Vec::new();
    let world = PROGRAM.get_or_init(|| {
        let (world, disputed) = World::new(Layers::default());
        clashes = disputed;
        world
    });
    clashes.iter().for_each(configure::Clash::warn);
    world
}

#[cfg(not(feature = "test-util"))]
#[inline]
fn world() -> &'static World {
    PROGRAM.get().unwrap_or_else(program)
}

/// While it lives, this thread acts in one world, whichever runtime it is in.
#[cfg(feature = "test-util")]
struct Inside(Option<&'static World>);

#[cfg(feature = "test-util")]
thread_local! {
    static INSIDE: Cell<Option<&'static World>> = const { Cell::new(None) };
}

#[cfg(feature = "test-util")]
impl Inside {
    fn enter(world: &'static World) -> Self {
        Self(INSIDE.replace(Some(world)))
    }
}

#[cfg(feature = "test-util")]
impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(self.0);
    }
}

/// The world of the current runtime, which starts with what was installed outside of any.
#[cfg(feature = "test-util")]
fn world() -> &'static World {
    static WORLDS: RwLock<Option<HashMap<tokio::runtime::Id, &'static World>>> = RwLock::new(None);
    if let Some(world) = INSIDE.get() {
        return world;
    }
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return program() };
    let id = runtime.id();
    let known =
        WORLDS.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(|all| all.get(&id).copied());
    known.unwrap_or_else(|| {
        let installed = program().installed().clone();
        let mut clashes = Vec::new();
        let mut worlds = WORLDS.write().unwrap_or_else(PoisonError::into_inner);
        let world = *worlds.get_or_insert_default().entry(id).or_insert_with(|| {
            let (world, disputed) = World::new(installed);
            clashes = disputed;
            Box::leak(Box::new(world))
        });
        drop(worlds);
        clashes.iter().for_each(configure::Clash::warn);
        world
    })
}

impl Registry {
    pub(crate) fn find<P: Named>(self, name: &str) -> Option<&'static P> {
        self.0.find(name)
    }

    /// Statistics of every policy, by kind and name.
    #[must_use]
    pub fn snapshots(self) -> Vec<Snapshot> {
        self.count(Tally::total)
    }

    /// Statistics of one policy, if there is one.
    ///
    /// `stem` is the kind as in its attribute: `"retry"`, `"circuit_breaker"`.
    ///
    /// ```
    /// use resilient_runtime::{Snapshot, registry, timeout};
    ///
    /// #[timeout("2s", name = "rates")]
    /// async fn rate() -> std::io::Result<u32> {
    ///     Ok(42)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// rate().await.unwrap();
    /// let Some(Snapshot::Timeout(rates)) = registry().snapshot("timeout", "rates") else { unreachable!() };
    /// assert_eq!(rates.succeeded, 1);
    /// # }
    /// ```
    #[must_use]
    pub fn snapshot(self, stem: &str, name: &str) -> Option<Snapshot> {
        let policy = self.0.policy(stem, name)?;
        Some(policy.snapshot(Tally::total))
    }

    /// Statistics of every policy, counted since the last reset or since the first day.
    pub(crate) fn count(self, count: Since) -> Vec<Snapshot> {
        self.0.all().into_iter().map(|policy| policy.snapshot(count)).collect()
    }

    /// Statistics of every policy of one kind.
    #[cfg(feature = "otel")]
    pub(crate) fn count_of(self, stem: &str, count: Since) -> Vec<Snapshot> {
        self.0.all_with(stem).into_iter().map(|policy| policy.snapshot(count)).collect()
    }

    /// Every annotated function of the program, in the order of their paths.
    #[must_use]
    pub fn functions(self) -> &'static [&'static Function] {
        functions()
    }

    /// Puts one policy back to its first state and statistics, if it is there.
    ///
    /// `stem` as for [`snapshot`](Self::snapshot).
    #[expect(clippy::must_use_candidate, reason = "whoever names a policy that there is need not ask")]
    pub fn reset(self, stem: &str, name: &str) -> bool {
        let Some(policy) = self.0.policy(stem, name) else { return false };
        self.0.inside(|| policy.reset());
        true
    }

    /// Puts every policy back to the state and the statistics of the first day.
    pub fn reset_all(self) {
        self.0.inside(|| self.0.all().into_iter().for_each(Policy::reset));
    }
}

/// Listens to the events of all policies, from now on.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut events = resilient_runtime::subscribe();
/// tokio::spawn(async move {
///     loop {
///         match events.recv().await {
///             Ok(event) => println!("{} {}: {}", event.stem, event.policy, event.kind),
///             Err(missed) => println!("{missed}"),
///         }
///     }
/// });
/// # }
/// ```
#[must_use]
pub fn subscribe() -> Subscription {
    world().bus.subscribe()
}

/// Raises an event of the policy `name`.
#[inline]
pub(crate) fn emit(stem: &'static str, name: &'static str, kind: impl Fn() -> EventKind) {
    emit_for(stem, name, None, kind);
}

/// Raises an event of one key of the policy `name`.
#[inline]
pub(crate) fn emit_for(
    stem: &'static str,
    name: &'static str,
    key: Option<&Arc<str>>,
    kind: impl Fn() -> EventKind,
) {
    world().bus.raise(stem, name, key, kind);
}

/// Whether anybody is told which calls are refused.
pub(crate) fn hears_of_refusals() -> bool {
    world().bus.hears_of_refusals()
}

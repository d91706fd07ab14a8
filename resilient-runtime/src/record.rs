//! The statics of annotated functions, which the program finds at link time.

use std::sync::OnceLock;

use crate::function::Function;
#[cfg(feature = "health")]
use crate::health::probe;
use crate::policy::Named;
use crate::registry::registry;
#[cfg(any(feature = "trace", feature = "latency"))]
use crate::watch::Station;

/// A link-time record.
#[derive(Debug)]
pub struct Entry(pub &'static Function);

inventory::collect!(Entry);

/// All annotated functions of the program, in the order of their paths.
pub(crate) fn functions() -> &'static [&'static Function] {
    static FUNCTIONS: OnceLock<Vec<&'static Function>> = OnceLock::new();
    FUNCTIONS.get_or_init(|| {
        let mut functions: Vec<_> = inventory::iter::<Entry>.into_iter().map(|entry| entry.0).collect();
        functions.sort_by_cached_key(|function| (function.path(), function.file(), function.line()));
        functions
    })
}

/// Everything that attributes say of policies, in the order of the paths of each kind.
pub(crate) fn annotated() -> impl Iterator<Item = &'static Function> {
    #[cfg(feature = "health")]
    let checks = probe::functions();
    #[cfg(not(feature = "health"))]
    let checks = std::iter::empty();
    functions().iter().copied().chain(checks)
}

/// The static of an annotated function: what it says about itself, and a site for the policy of each layer.
#[derive(Debug)]
pub struct Record<S> {
    #[doc(hidden)]
    pub function: Function,
    #[doc(hidden)]
    pub sites: S,
    #[cfg(any(feature = "trace", feature = "latency"))]
    station: OnceLock<&'static Station>,
}

impl<S: Sites> Record<S> {
    /// One call instead of two: the compiler checks the type of each, in the static of every function.
    #[doc(hidden)]
    #[must_use]
    #[track_caller]
    pub const fn new(type_name: fn() -> &'static str, module: &'static str, layers: &'static str) -> Self {
        Self::of(Function::new(type_name, module, layers, || &[]))
    }

    /// The same for a function with values that only the compiler could read.
    #[doc(hidden)]
    #[must_use]
    pub const fn of(function: Function) -> Self {
        Self {
            function,
            sites: S::UNUSED,
            #[cfg(any(feature = "trace", feature = "latency"))]
            station: OnceLock::new(),
        }
    }
}

#[cfg(any(feature = "trace", feature = "latency"))]
impl<S> Record<S> {
    /// Where its calls are watched.
    #[inline]
    pub(crate) fn station(&'static self) -> &'static Station {
        let find = || registry().0.stations.of(self.function.path());
        if cfg!(feature = "test-util") { find() } else { self.station.get_or_init(find) }
    }
}

/// The policy of a layer, found once.
///
/// The compiler checks the static of each function anew, down to the last field behind each reference: one
/// type for all kinds of policies would make every function pay for all of them.
#[derive(Debug)]
pub struct LayerSite<P: 'static> {
    layers_below: usize,
    found: OnceLock<&'static P>,
}

/// The sites of a stack: that of the outermost layer, and those of the layers below.
pub trait Sites {
    #[doc(hidden)]
    const COUNT: usize;
    #[doc(hidden)]
    const UNUSED: Self;
}

impl Sites for () {
    const COUNT: usize = 0;
    const UNUSED: Self = ();
}

impl<P, B: Sites> Sites for (LayerSite<P>, B) {
    const COUNT: usize = B::COUNT + 1;
    const UNUSED: Self = (LayerSite { layers_below: B::COUNT, found: OnceLock::new() }, B::UNUSED);
}

impl<P> LayerSite<P> {
    #[inline]
    pub(crate) fn policy(&'static self, function: &'static Function) -> &'static P
    where
        P: Named,
    {
        // With `test-util` each runtime has its own policies.
        let found = if cfg!(feature = "test-util") { None } else { self.found.get() };
        found.copied().unwrap_or_else(|| self.resolve(function))
    }

    #[cold]
    fn resolve(&'static self, function: &'static Function) -> &'static P
    where
        P: Named,
    {
        let layers = function.layers();
        let policy = registry().0.get_or_create(layers[layers.len() - 1 - self.layers_below].policy_name());
        self.found.get_or_init(|| policy);
        policy
    }
}

/// A policy whose name is known beforehand, found once.
pub(crate) struct SharedSite<P: 'static> {
    name: &'static str,
    found: OnceLock<&'static P>,
}

impl<P: Named> SharedSite<P> {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, found: OnceLock::new() }
    }

    #[inline]
    #[cfg(not(feature = "test-util"))]
    pub(crate) fn get(&'static self) -> &'static P {
        self.found.get_or_init(|| registry().0.get_or_create(self.name))
    }

    /// Each runtime has its own, so the site cannot keep one.
    #[cfg(feature = "test-util")]
    pub(crate) fn get(&'static self) -> &'static P {
        let _ = &self.found;
        registry().0.get_or_create(self.name)
    }
}

//! How a check is run, and what the program knows of the annotated ones before they are.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use crate::function::Function;
use crate::outcome::{Causes, Class, Errors};

/// One run of a check, whose error leaves its class and nothing else.
pub type Probe = Pin<Box<dyn Future<Output = Result<(), Class>> + Send>>;

/// One run of an annotated function, as it answers.
pub(crate) type Run<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Takes the run apart from its class, so that what is wrong with it is told once.
pub fn run<F, T, E>(run: F, _: Errors<E>) -> Run<T, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    Box::pin(run)
}

/// The same with the class for the error.
#[must_use]
pub fn probe<T: 'static, E: 'static, C: Causes<E>>(run: Run<T, E>, _: C) -> Probe {
    Box::pin(async move { run.await.map(drop).map_err(|error| C::cause(&error).class()) })
}

/// The link-time record of an annotated check.
#[derive(Debug)]
pub struct CheckEntry {
    pub(super) function: &'static Function,
    pub(super) run: fn() -> Probe,
}

inventory::collect!(CheckEntry);

impl CheckEntry {
    #[doc(hidden)]
    #[must_use]
    pub const fn new(function: &'static Function, run: fn() -> Probe) -> Self {
        Self { function, run }
    }

    pub(super) fn name(&self) -> &'static str {
        self.function.layers().first().map_or("", |layer| layer.policy_name())
    }
}

/// All annotated checks of the program, in the order of their paths.
pub(super) fn annotated() -> &'static [&'static CheckEntry] {
    static ANNOTATED: OnceLock<Vec<&'static CheckEntry>> = OnceLock::new();
    ANNOTATED.get_or_init(|| {
        let mut checks: Vec<_> = inventory::iter::<CheckEntry>.into_iter().collect();
        checks.sort_by_cached_key(|check| {
            let function = check.function;
            (function.path(), function.file(), function.line())
        });
        checks
    })
}

/// What the checks say of themselves; of two that have one name, the first one.
pub(crate) fn functions() -> impl Iterator<Item = &'static Function> {
    let checks = annotated();
    let is_first = |at: &usize| checks[..*at].iter().all(|earlier| earlier.name() != checks[*at].name());
    (0..checks.len()).filter(is_first).map(|at| checks[at].function)
}

/// What makes the runs of a check.
#[derive(Clone)]
pub(super) enum Source {
    Annotated(&'static CheckEntry),
    ByHand(Arc<dyn Fn() -> Probe + Send + Sync>),
}

impl Source {
    pub(super) fn run(&self) -> Probe {
        match self {
            Self::Annotated(check) => (check.run)(),
            Self::ByHand(run) => run(),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Annotated(_) => "Annotated",
            Self::ByHand(_) => "ByHand",
        })
    }
}

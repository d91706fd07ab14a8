//! What the answer of one attempt says about the next.

use std::marker::PhantomData;
use std::time::Duration;

use crate::error::Rejected;
use crate::level::{ByClass, Judge};
use crate::outcome::{Cause, Class};

/// The longest wait that a dependency may ask for before the next attempt.
const LONGEST_HINT: Duration = Duration::from_secs(30);

/// What decides about the answer `O` of an attempt.
pub trait Rules<O> {
    /// When another attempt may start for it, unless it is good.
    fn judge(&self, out: &O) -> Option<Pace>;
    fn is_ok(&self, out: &O) -> bool;
}

/// When the next attempt may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    AtOnce,
    /// Not for this answer, only when another attempt is slow.
    Unchanged,
    NotBefore(Duration),
    Never,
}

impl Pace {
    fn after(cause: &Cause) -> Self {
        match cause {
            // Whatever refused this one refuses the next one too.
            Cause::Rejected(rejected) if !matches!(rejected, Rejected::TimedOut { .. }) => Self::Never,
            Cause::Class(Class::Throttled { after: Some(after) }) if *after > LONGEST_HINT => Self::Never,
            Cause::Class(Class::Throttled { after: Some(after) }) => Self::NotBefore(*after),
            Cause::Class(Class::Throttled { after: None }) => Self::Unchanged,
            _ => Self::AtOnce,
        }
    }
}

impl<O, C: Judge<O>> Rules<O> for ByClass<C> {
    fn judge(&self, out: &O) -> Option<Pace> {
        by_class::<O, C>(out)
    }

    fn is_ok(&self, out: &O) -> bool {
        C::is_ok(out)
    }
}

fn by_class<O, C: Judge<O>>(out: &O) -> Option<Pace> {
    let cause = C::cause(out)?;
    (!cause.class().is_answer()).then(|| Pace::after(&cause))
}

/// The user's predicates decide about the user's errors and values.
#[derive(Debug)]
pub struct ByFunctions<C, T, E> {
    class: PhantomData<C>,
    when: Option<fn(&E) -> bool>,
    when_ok: Option<fn(&T) -> bool>,
}

impl<C, T, E> ByFunctions<C, T, E> {
    pub(super) const fn new(when: Option<fn(&E) -> bool>, when_ok: Option<fn(&T) -> bool>) -> Self {
        Self { class: PhantomData, when, when_ok }
    }
}

impl<O, C: Judge<O>> Rules<O> for ByFunctions<C, C::Value, C::Error> {
    fn judge(&self, out: &O) -> Option<Pace> {
        match (C::seen(out), self.when) {
            (Ok(Ok(value)), _) => {
                self.when_ok.is_some_and(|unwanted| unwanted(value)).then_some(Pace::AtOnce)
            }
            (Ok(Err(error)), Some(when)) if when(error) => C::cause(out).as_ref().map(Pace::after),
            (Ok(Err(_)), Some(_)) => None,
            _ => by_class::<O, C>(out),
        }
    }

    fn is_ok(&self, out: &O) -> bool {
        C::is_ok(out)
    }
}

//! A call on its way in, under way, and out.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;

use pin_project_lite::pin_project;

use super::Shared;
use super::gate::End;
use crate::clock::Tick;
use crate::error::Rejected;
use crate::level::{Judge, Reply};
use crate::outcome::{Cause, Class, Classify};
use crate::priority::Priority;

/// What a call says about the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Well,
    /// There are too many calls: it timed out, or the dependency asks for fewer.
    Overload,
    /// The dependency did not accept it, who knows why.
    Failure,
    /// Nothing.
    Silence,
    Abandoned,
}

impl Verdict {
    /// Of what the layers below answered; what one of them refused says nothing, unless it timed out.
    fn of(cause: &Cause) -> Self {
        match cause {
            Cause::Class(Class::Throttled { .. }) | Cause::Rejected(Rejected::TimedOut { .. }) => {
                Self::Overload
            }
            Cause::Class(Class::Transient | Class::Unknown) => Self::Failure,
            Cause::Class(Class::Permanent) => Self::Well,
            Cause::Class(Class::Ignored) | Cause::Rejected(_) => Self::Silence,
        }
    }

    /// As the limit sees it: a call that failed at once says nothing about how long calls take.
    pub(super) const fn end(self) -> Option<End> {
        match self {
            Self::Well => Some(End::Well),
            Self::Overload => Some(End::Dropped),
            Self::Abandoned => Some(End::Abandoned),
            Self::Failure | Self::Silence => None,
        }
    }
}

/// Where a call stands. Whatever it holds is given back when it goes.
#[derive(Debug)]
pub(super) struct Place<'a> {
    shared: &'a Shared,
    stage: Stage,
    priority: Priority,
}

/// One of these, or when the call began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stage(Tick);

impl Stage {
    const OUTSIDE: Self = Self(Tick::ZERO);
    /// Holds no place.
    pub(super) const THROTTLED: Self = Self(Tick::from_nanos(1));
    pub(super) const UNMEASURED: Self = Self(Tick::from_nanos(2));

    pub(super) fn measured(begun: Tick) -> Self {
        Self(begun.max(Tick::from_nanos(3)))
    }

    pub(super) fn begun(self) -> Option<Tick> {
        (self.0 > Self::UNMEASURED.0).then_some(self.0)
    }
}

impl<'a> Place<'a> {
    const fn outside(shared: &'a Shared, priority: Priority) -> Self {
        Self { shared, stage: Stage::OUTSIDE, priority }
    }

    #[inline]
    fn enter(&mut self) -> Result<(), Rejected> {
        if self.stage == Stage::OUTSIDE {
            let priority = crate::priority::priority().unwrap_or(self.priority);
            self.stage = self.shared.enter(priority)?;
        }
        Ok(())
    }

    #[inline]
    fn leave(&mut self, verdict: Verdict) {
        let stage = std::mem::replace(&mut self.stage, Stage::OUTSIDE);
        if stage != Stage::OUTSIDE {
            self.shared.leave(stage, verdict);
        }
    }

    /// The call ended without an answer.
    #[inline]
    fn give_back(&mut self, panicked: bool) {
        self.leave(if panicked { Verdict::Silence } else { Verdict::Abandoned });
    }
}

impl Drop for Place<'_> {
    #[inline]
    fn drop(&mut self) {
        self.give_back(thread::panicking());
    }
}

/// An admitted call, whose place is given back when this is dropped.
#[derive(Debug)]
#[must_use = "the place is given back when the permit is dropped"]
pub struct LoadShedPermit<'a> {
    place: Place<'a>,
    /// Whether it was taken in a destructor that a panic runs.
    unwinding: bool,
}

impl Drop for LoadShedPermit<'_> {
    fn drop(&mut self) {
        self.place.give_back(thread::panicking() && !self.unwinding);
    }
}

impl<'a> LoadShedPermit<'a> {
    pub(super) fn acquire(shared: &'a Shared) -> Result<Self, Rejected> {
        let mut place = Place::outside(shared, Priority::Normal);
        place.enter()?;
        Ok(Self { place, unwinding: thread::panicking() })
    }

    /// The call ended with this.
    ///
    /// A permit that is dropped instead counts as a call for whose answer nobody waited.
    pub fn record<T, E: Classify>(mut self, result: &Result<T, E>) {
        let verdict = result.as_ref().err().map_or(Verdict::Well, |error| Verdict::of(&Cause::of(error)));
        self.place.leave(verdict);
    }
}

pin_project! {
    /// A call that a load shedder admits or refuses.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Shedding<'a, F, C> {
        // Dropped before the place is given back: what it holds is gone when the next call begins.
        #[pin]
        inner: F,
        place: Option<Place<'a>>,
        class: PhantomData<C>,
    }
}

impl<'a, F, C> Shedding<'a, F, C> {
    #[inline]
    pub(super) const fn new(shared: &'a Shared, priority: Priority, inner: F) -> Self {
        Self { inner, place: Some(Place::outside(shared, priority)), class: PhantomData }
    }
}

impl<F, C> Future for Shedding<'_, F, C>
where
    F: Future,
    C: Judge<F::Output>,
{
    type Output = Reply<C::Answer>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply<C::Answer>> {
        let this = self.project();
        // Whoever polls again must not start the body anew.
        let Some(place) = this.place else { return Poll::Pending };
        if let Err(rejected) = place.enter() {
            *this.place = None;
            return Poll::Ready(Reply::Refusal(rejected));
        }
        let out = ready!(this.inner.poll(cx));
        place.leave(if C::is_ok(&out) { Verdict::Well } else { verdict::<_, C>(&out) });
        *this.place = None;
        Poll::Ready(C::reply(out))
    }
}

#[cold]
fn verdict<O, C: Judge<O>>(out: &O) -> Verdict {
    C::cause(out).map_or(Verdict::Well, |cause| Verdict::of(&cause))
}

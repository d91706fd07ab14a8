//! A guarded call, and a permit for code that is no future.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Verdict;
use super::engine::Engine;
use super::pass::{Course, Pass};
use crate::error::Rejected;
use crate::level::{ByClass, Judge, Reply};
use crate::outcome::{Cause, Class, Classify};
use crate::progress::Progress;

/// What a call's answer says about the dependency.
pub trait Assess<O> {
    fn verdict(&self, out: &O) -> Verdict;
}

impl<O, C: Judge<O>> Assess<O> for ByClass<C> {
    #[inline]
    fn verdict(&self, out: &O) -> Verdict {
        C::cause(out).as_ref().map_or(Verdict::Success, Verdict::of)
    }
}

type Fails<T, E> = fn(&Result<T, E>) -> bool;

/// The user's predicates; neither sees a refusal.
#[derive(Debug)]
pub struct ByPredicate<C, T, E> {
    class: PhantomData<C>,
    ignore_when: Option<fn(&E) -> bool>,
    failure_when: Option<Fails<T, E>>,
}

impl<O, C: Judge<O>> Assess<O> for ByPredicate<C, C::Value, C::Error> {
    fn verdict(&self, out: &O) -> Verdict {
        let by_class = || ByClass::<C>::NEW.verdict(out);
        let Ok(answer) = C::seen(out) else { return by_class() };
        if let (Err(error), Some(ignores)) = (answer, self.ignore_when)
            && ignores(error)
        {
            return Verdict::Ignored;
        }
        let class = || match C::cause(out) {
            Some(Cause::Class(class)) => Some(class),
            _ => None,
        };
        match self.failure_when {
            Some(fails) if fails(answer) => Verdict::Failure(class()),
            Some(_) => Verdict::Success,
            None => by_class(),
        }
    }
}

impl Verdict {
    fn of(cause: &Cause) -> Self {
        match cause {
            Cause::Class(Class::Permanent) => Self::Success,
            Cause::Class(Class::Ignored) => Self::Ignored,
            Cause::Class(class) => Self::Failure(Some(*class)),
            Cause::Rejected(Rejected::TimedOut { .. }) => Self::Failure(Some(Class::Transient)),
            Cause::Rejected(_) => Self::Ignored,
        }
    }
}

pin_project! {
    /// A call behind a breaker. It asks to pass when it is first polled.
    #[must_use = "futures do nothing unless polled"]
    pub struct Guarded<F, H: Deref<Target = Engine>, C, A> {
        #[pin]
        inner: F,
        engine: H,
        assess: A,
        course: Course,
        class: PhantomData<C>,
    }

    impl<F, H: Deref<Target = Engine>, C, A> PinnedDrop for Guarded<F, H, C, A> {
        fn drop(this: Pin<&mut Self>) {
            let verdict = match this.course.progress() {
                Progress::Waiting => Verdict::Abandoned,
                Progress::Polling => Verdict::Panicked,
                Progress::Fresh | Progress::Done => return,
            };
            this.engine.leave(this.course.pass(), verdict);
        }
    }
}

impl<F, H: Deref<Target = Engine>, C, A> fmt::Debug for Guarded<F, H, C, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("progress", &self.course.progress()).finish_non_exhaustive()
    }
}

impl<F, H: Deref<Target = Engine>, C, A> Guarded<F, H, C, A> {
    #[inline]
    const fn new(engine: H, inner: F, assess: A) -> Self {
        Self { inner, engine, assess, course: Course::FRESH, class: PhantomData }
    }
}

impl<F, H, C, A> Future for Guarded<F, H, C, A>
where
    F: Future,
    H: Deref<Target = Engine>,
    C: Judge<F::Output>,
    A: Assess<F::Output>,
{
    type Output = Reply<C::Answer>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply<C::Answer>> {
        let this = self.project();
        match this.course.progress() {
            Progress::Fresh => match this.engine.enter_at_once() {
                // No clock was read for it, as for a fresh one.
                Some(ticket) => this.course.go_on(ticket, Progress::Polling),
                None => match this.engine.ask() {
                    Ok(pass) => *this.course = Course::new(pass, Progress::Polling),
                    Err(rejected) => {
                        this.course.note(Progress::Done);
                        return Poll::Ready(Reply::Refusal(rejected));
                    }
                },
            },
            // Whoever polls again must not get past a refusal.
            Progress::Done => return Poll::Pending,
            Progress::Polling | Progress::Waiting => this.course.note(Progress::Polling),
        }
        let ticket = this.course.ticket();
        let Poll::Ready(out) = this.inner.poll(cx) else {
            this.course.note(Progress::Waiting);
            return Poll::Pending;
        };
        let verdict = this.assess.verdict(&out);
        this.course.go_on(ticket, Progress::Done);
        if !this.engine.leave_at_once(ticket, verdict) {
            this.engine.tell(this.course.pass(), verdict);
        }
        Poll::Ready(C::reply(out))
    }
}

/// A breaker of an annotated function around one level.
#[inline]
pub fn circuit_breaker<F, H, C>(engine: H, inner: F, _: C) -> Guarded<F, H, C, ByClass<C>>
where
    H: Deref<Target = Engine>,
{
    Guarded::new(engine, inner, ByClass::NEW)
}

/// The same with the user's predicates.
#[expect(clippy::type_complexity, reason = "written by the expansion only")]
#[inline]
pub fn circuit_breaker_when<F, H, C>(
    engine: H,
    inner: F,
    _: C,
    ignore_when: Option<fn(&<C as Judge<F::Output>>::Error) -> bool>,
    failure_when: Option<Fails<<C as Judge<F::Output>>::Value, <C as Judge<F::Output>>::Error>>,
) -> Guarded<F, H, C, ByPredicate<C, <C as Judge<F::Output>>::Value, <C as Judge<F::Output>>::Error>>
where
    F: Future,
    C: Judge<F::Output>,
    H: Deref<Target = Engine>,
{
    Guarded::new(engine, inner, ByPredicate { class: PhantomData, ignore_when, failure_when })
}

/// Leave to make one call, whose outcome is reported by hand.
///
/// Dropping it without a report counts as an abandoned call, and as one that panicked if the
/// thread began to unwind while it was held.
#[derive(Debug)]
#[must_use = "dropped, it counts as an abandoned call"]
pub struct CircuitPermit<'a> {
    engine: &'a Engine,
    pass: Option<Pass>,
    unwinding: bool,
}

impl<'a> CircuitPermit<'a> {
    pub(super) fn acquire(engine: &'a Engine) -> Result<Self, Rejected> {
        let pass = Some(engine.enter()?);
        Ok(Self { engine, pass, unwinding: std::thread::panicking() })
    }

    fn report(mut self, verdict: Verdict) {
        if let Some(pass) = self.pass.take() {
            self.engine.leave(pass, verdict);
        }
    }

    /// The call succeeded.
    pub fn success(self) {
        self.report(Verdict::Success);
    }

    /// The call failed.
    pub fn failure(self) {
        self.report(Verdict::Failure(None));
    }

    /// The call says nothing about the dependency.
    pub fn ignore(self) {
        self.report(Verdict::Ignored);
    }

    /// The call ended like this.
    pub fn record<T, E: Classify>(self, result: &Result<T, E>) {
        self.report(match result {
            Ok(_) => Verdict::Success,
            Err(error) => Verdict::of(&Cause::of(error)),
        });
    }
}

impl Drop for CircuitPermit<'_> {
    fn drop(&mut self) {
        let panicked = !self.unwinding && std::thread::panicking();
        let verdict = if panicked { Verdict::Panicked } else { Verdict::Abandoned };
        if let Some(pass) = self.pass.take() {
            self.engine.leave(pass, verdict);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Ready;

    use super::*;

    type Body = Ready<Result<(), ()>>;

    #[test]
    fn a_guarded_call_is_three_words_larger() {
        let guarded = size_of::<Guarded<Body, &'static Engine, (), ByClass<()>>>();
        assert!(guarded <= size_of::<Body>().next_multiple_of(8) + 24, "{guarded}");
    }
}

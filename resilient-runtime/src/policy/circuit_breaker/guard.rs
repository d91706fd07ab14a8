//! A guarded call, and a permit for code that is no future.

use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Verdict;
use super::engine::{Engine, Pass};
use crate::error::{Fault, Rejected};
use crate::level::Failing;
use crate::outcome::{Cause, Causes, Class, Classify};

/// What a call's result says about the dependency.
pub trait Judge<T, X> {
    /// May take the result apart, and gives it back.
    fn judge(&self, out: Result<T, X>) -> (Verdict, Result<T, X>);
}

/// An error that answers for itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answers;

impl<T, E: Classify> Judge<T, E> for Answers {
    #[inline]
    fn judge(&self, out: Result<T, E>) -> (Verdict, Result<T, E>) {
        match out {
            Ok(value) => (Verdict::Success, Ok(value)),
            Err(error) => (Verdict::of(&Cause::of(&error)), Err(error)),
        }
    }
}

/// How an expansion found out to classify its error; takes no room in the future.
#[derive(Debug)]
pub struct ByClass<C>(PhantomData<C>);

impl<T, E, C: Causes<E>> Judge<T, Fault<E>> for ByClass<C> {
    #[inline]
    fn judge(&self, out: Result<T, Fault<E>>) -> (Verdict, Result<T, Fault<E>>) {
        match out {
            Ok(value) => (Verdict::Success, Ok(value)),
            Err(fault) => (Verdict::of(&fault.cause(C::cause)), Err(fault)),
        }
    }
}

type Fails<T, E> = fn(&Result<T, E>) -> bool;

/// The user's predicates; neither sees a refusal.
#[derive(Debug)]
pub struct ByPredicate<T, E> {
    class: fn(&E) -> Cause,
    ignore_when: Option<fn(&E) -> bool>,
    failure_when: Option<Fails<T, E>>,
}

impl<T, E> Judge<T, Fault<E>> for ByPredicate<T, E> {
    fn judge(&self, out: Result<T, Fault<E>>) -> (Verdict, Result<T, Fault<E>>) {
        let out = match out {
            Ok(value) => Ok(value),
            Err(Fault::Failed(error)) => Err(error),
            Err(fault) => return (Verdict::of(&fault.cause(self.class)), Err(fault)),
        };
        (self.verdict(&out), out.map_err(Fault::Failed))
    }
}

impl<T, E> ByPredicate<T, E> {
    fn verdict(&self, out: &Result<T, E>) -> Verdict {
        if let (Err(error), Some(ignores)) = (out, self.ignore_when)
            && ignores(error)
        {
            return Verdict::Ignored;
        }
        let class = || match out.as_ref().err().map(self.class) {
            Some(Cause::Class(class)) => Some(class),
            _ => None,
        };
        match (self.failure_when, out) {
            (Some(fails), _) if fails(out) => Verdict::Failure(class()),
            (Some(_), _) | (None, Ok(_)) => Verdict::Success,
            (None, Err(error)) => Verdict::of(&(self.class)(error)),
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

#[derive(Clone, Copy, Debug)]
enum Progress {
    Fresh,
    /// Still so when the future is dropped, the call has panicked.
    Polling,
    Waiting,
    Done,
}

pin_project! {
    /// A call behind a breaker. It asks to pass when it is first polled.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Guarded<F, H: Deref<Target = Engine>, J> {
        #[pin]
        inner: F,
        engine: H,
        judge: J,
        pass: Pass,
        progress: Progress,
    }

    impl<F, H: Deref<Target = Engine>, J> PinnedDrop for Guarded<F, H, J> {
        fn drop(this: Pin<&mut Self>) {
            let verdict = match this.progress {
                Progress::Waiting => Verdict::Abandoned,
                Progress::Polling => Verdict::Panicked,
                Progress::Fresh | Progress::Done => return,
            };
            this.engine.leave(this.pass, verdict);
        }
    }
}

impl<F, H: Deref<Target = Engine>, J> Guarded<F, H, J> {
    pub(super) const fn new(engine: H, inner: F, judge: J) -> Self {
        Self { inner, engine, judge, pass: Pass::NONE, progress: Progress::Fresh }
    }
}

impl<F, H, J, T, X> Future for Guarded<F, H, J>
where
    F: Future<Output = Result<T, X>>,
    H: Deref<Target = Engine>,
    J: Judge<T, X>,
    X: From<Rejected>,
{
    type Output = Result<T, X>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, X>> {
        let this = self.project();
        match this.progress {
            // Kept out of memory on the way: most calls are ready at once.
            Progress::Fresh => match this.engine.enter_at_once() {
                Some(pass) => *this.pass = pass,
                None => match this.engine.ask() {
                    Ok(pass) => *this.pass = pass,
                    Err(rejected) => {
                        *this.progress = Progress::Done;
                        return Poll::Ready(Err(rejected.into()));
                    }
                },
            },
            // Whoever polls again must not get past a refusal.
            Progress::Done => return Poll::Pending,
            Progress::Polling | Progress::Waiting => {}
        }
        let pass = *this.pass;
        *this.progress = Progress::Polling;
        let Poll::Ready(out) = this.inner.poll(cx) else {
            *this.progress = Progress::Waiting;
            return Poll::Pending;
        };
        let (verdict, out) = this.judge.judge(out);
        *this.progress = Progress::Done;
        this.engine.leave(pass, verdict);
        Poll::Ready(out)
    }
}

/// A breaker of an annotated function around one level.
#[inline]
pub fn circuit_breaker<F, H, C, T, E>(engine: H, inner: F, _: C) -> Guarded<F, H, ByClass<C>>
where
    F: Future<Output = Result<T, Fault<E>>>,
    H: Deref<Target = Engine>,
    C: Causes<E>,
{
    Guarded::new(engine, inner, ByClass(PhantomData))
}

/// The same with the user's predicates.
#[inline]
pub fn circuit_breaker_when<F, H, T, E, C>(
    engine: H,
    inner: F,
    _: C,
    ignore_when: Option<fn(&E) -> bool>,
    failure_when: Option<Fails<T, E>>,
) -> Guarded<F, H, ByPredicate<T, E>>
where
    F: Future<Output = Result<T, Fault<E>>>,
    H: Deref<Target = Engine>,
    C: Causes<E>,
{
    Guarded::new(engine, inner, ByPredicate { class: C::cause, ignore_when, failure_when })
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

    type Body = Ready<Result<(), Fault<()>>>;

    #[test]
    fn a_guarded_call_is_forty_bytes_larger() {
        let guarded = size_of::<Guarded<Body, &'static Engine, ByClass<()>>>();
        assert!(guarded <= size_of::<Body>().next_multiple_of(8) + 40, "{guarded}");
    }
}

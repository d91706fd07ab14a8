//! A bounded call.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::task::coop;
use tokio::time::Sleep;

use super::{ABANDONED, FAILED, PANICKED, STEM, SUCCEEDED, TIMED_OUT, TimeoutPolicy, WOULD_TIME_OUT};
use crate::clock;
use crate::error::Rejected;
use crate::events::EventKind;
use crate::frame::Deadline;
use crate::function::Function;
use crate::level::{Judge, Reply};
use crate::progress::Progress;
use crate::record::LayerSite;
use crate::registry;

/// Who gives the time: a registered policy, or a value made by hand.
pub trait Terms: Copy {
    /// Kind of policy that gives up the call.
    const STEM: &'static str = STEM.table.name;

    fn name(self) -> &'static str;
    fn count(self, counter: usize);
}

impl Terms for &'static TimeoutPolicy {
    fn name(self) -> &'static str {
        self.name
    }

    #[inline]
    fn count(self, counter: usize) {
        self.tally.add(counter, 1);
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    Name(&'static TimeoutPolicy),
    Value(&'static str),
}

impl Terms for By {
    fn name(self) -> &'static str {
        match self {
            Self::Name(policy) => policy.name(),
            Self::Value(name) => name,
        }
    }

    fn count(self, counter: usize) {
        if let Self::Name(policy) = self {
            policy.count(counter);
        }
    }
}

pin_project! {
    /// A bounded call. The time starts when the call first has to wait, or is first asked for.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Bounded<F, P: Terms, C> {
        #[pin]
        inner: F,
        #[pin]
        timer: Option<Sleep>,
        deadline: Deadline,
        limit: Deadline,
        terms: P,
        progress: Progress,
        class: PhantomData<C>,
    }

    impl<F, P: Terms, C> PinnedDrop for Bounded<F, P, C> {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            if let Progress::Polling | Progress::Waiting = this.progress {
                cut_short(this.terms, this.progress);
            }
        }
    }
}

impl<F, P: Terms, C> Bounded<F, P, C> {
    #[inline]
    pub(crate) const fn new(inner: F, terms: P, limit: Deadline) -> Self {
        Self {
            inner,
            timer: None,
            deadline: limit,
            limit,
            terms,
            progress: Progress::Fresh,
            class: PhantomData,
        }
    }
}

impl<F, P, C> Future for Bounded<F, P, C>
where
    F: Future,
    P: Terms,
    C: Judge<F::Output>,
{
    type Output = Reply<C::Answer>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply<C::Answer>> {
        let mut this = self.project();
        if let Progress::Done = this.progress {
            // Whoever polls again must not start the body anew.
            return Poll::Pending;
        }
        *this.progress = Progress::Polling;
        let in_force = this.deadline.enter();
        if let Poll::Ready(out) = this.inner.poll(cx) {
            drop(in_force);
            *this.progress = Progress::Done;
            this.terms.count(if C::is_ok(&out) { SUCCEEDED } else { FAILED });
            return Poll::Ready(C::reply(out));
        }
        let binds = in_force.binds(this.deadline);
        let armed = this.timer.is_some();
        if !armed
            && binds
            && let Some(deadline) = this.deadline.start()
        {
            this.timer.set(Some(clock::sleep_until(deadline)));
        }
        *this.progress = Progress::Waiting;
        ready!(match this.timer.as_mut().as_pin_mut() {
            Some(timer) if armed => poll_again(timer, cx),
            Some(timer) => timer.poll(cx),
            None => watch(this.timer.as_mut(), *this.limit, cx),
        });
        if let Some(limit) = this.limit.is_watched() {
            // Told once: from here on it is a call without a timeout.
            this.timer.set(None);
            *this.limit = Deadline::NONE;
            overstay(*this.terms, limit);
            return Poll::Pending;
        }
        *this.progress = Progress::Done;
        Poll::Ready(Reply::Refusal(give_up(*this.terms, this.limit.limit())))
    }
}

/// Polls a timer whose body may use up, at every poll, what its task may do.
///
/// The first poll is none of these: it has to yield, or calls that time out at once would hold up the task.
fn poll_again(mut timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
    let polled = timer.as_mut().poll(cx);
    if polled.is_ready() || coop::has_budget_remaining() {
        return polled;
    }
    pin!(coop::unconstrained(timer)).poll(cx)
}

/// The time of a call that nobody gives up begins, if somebody looks at it.
#[cold]
fn watch(mut timer: Pin<&mut Option<Sleep>>, limit: Deadline, cx: &mut Context<'_>) -> Poll<()> {
    let until = limit.is_watched().and_then(|limit| clock::now().checked_add(limit));
    timer.set(until.map(clock::sleep_until));
    timer.as_pin_mut().map_or(Poll::Pending, |timer| timer.poll(cx))
}

#[cold]
fn overstay<P: Terms>(terms: P, limit: Duration) {
    terms.count(WOULD_TIME_OUT);
    registry::emit(STEM.name, terms.name(), || EventKind::WouldTimeOut { limit });
}

#[cold]
fn cut_short<P: Terms>(terms: P, progress: Progress) {
    terms.count(if let Progress::Polling = progress { PANICKED } else { ABANDONED });
}

#[cold]
fn give_up<P: Terms>(terms: P, limit: Duration) -> Rejected {
    terms.count(TIMED_OUT);
    registry::emit(P::STEM, terms.name(), || EventKind::TimedOut { limit });
    Rejected::TimedOut { name: terms.name(), limit }
}

/// What the layer of an annotated function is told. It is found before the call is made: from there on nothing
/// can panic until the layer holds the call, which then is made where it stays and not moved.
#[inline]
#[must_use]
pub fn limit(
    function: &'static Function,
    layer: &'static LayerSite<TimeoutPolicy>,
) -> &'static TimeoutPolicy {
    layer.policy(function)
}

/// The layer of an annotated function.
#[inline]
pub fn timeout<F, C>(
    policy: &'static TimeoutPolicy,
    inner: F,
    _: C,
) -> Bounded<F, &'static TimeoutPolicy, C> {
    Bounded::new(inner, policy, policy.limit())
}

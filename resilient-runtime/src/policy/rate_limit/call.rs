//! A call on its way through the limit.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use resilient_settings::nanos;

use super::limiter::ONLY;
use super::line::{Arrival, Turn};
use super::{ABANDONED, AT_ONCE, REJECTED, STEM, Shared, WAIT_TIME, WAITED, WOULD_REJECT};
use crate::clock::Tick;
use crate::error::Rejected;
use crate::events::EventKind;
use crate::level::{Judge, Reply};
use crate::timer::Timer;
use crate::{clock, frame, patience, registry};

/// What a call wants, and where. A type for each, so that the usual one takes no room.
pub trait Want {
    fn of(&self) -> u64;
    fn permits(&self) -> u32 {
        1
    }
    /// The call waits at another mark than it asked for.
    fn turn_to(&mut self, _of: u64) {}
    /// The key, for who is told of a refusal.
    fn key(&self) -> Option<&Arc<str>> {
        None
    }
}

/// One permit of all there are.
#[derive(Clone, Copy, Debug)]
pub struct One;

impl Want for One {
    #[inline]
    fn of(&self) -> u64 {
        ONLY
    }
}

/// So many permits at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Many(pub(super) u32);

impl Want for Many {
    fn of(&self) -> u64 {
        ONLY
    }

    fn permits(&self) -> u32 {
        self.0
    }
}

/// One permit of a key.
#[derive(Debug)]
pub struct OneOf {
    of: u64,
    /// Copied only where somebody may hear of it.
    key: Option<Arc<str>>,
}

impl Want for OneOf {
    fn of(&self) -> u64 {
        self.of
    }

    fn turn_to(&mut self, of: u64) {
        self.of = of;
    }

    fn key(&self) -> Option<&Arc<str>> {
        self.key.as_ref()
    }
}

/// Where a call stands. A place in the line is given back when it goes.
#[derive(Debug)]
pub(super) struct Pass<'a, W: Want> {
    shared: &'a Shared,
    want: W,
    stage: Stage,
    /// Of the wait.
    timer: Timer,
}

/// Outside, let through, at its end, or the ticket it waits with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stage(u64);

impl Stage {
    const OUTSIDE: Self = Self(0);
    const THROUGH: Self = Self(u64::MAX);
    const OVER: Self = Self(u64::MAX - 1);
}

impl<'a, W: Want> Pass<'a, W> {
    const fn outside(shared: &'a Shared, want: W) -> Self {
        Self { shared, want, stage: Stage::OUTSIDE, timer: Timer::NONE }
    }

    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Rejected>> {
        match self.stage {
            Stage::THROUGH => Poll::Ready(Ok(())),
            Stage::OUTSIDE if self.shared.limiter.take(self.want.of(), self.want.permits()) => {
                self.admitted(AT_ONCE);
                Poll::Ready(Ok(()))
            }
            _ => self.poll_line(cx),
        }
    }

    #[inline]
    fn admitted(&mut self, counter: usize) {
        self.stage = Stage::THROUGH;
        self.shared.tally.add(counter, 1);
    }

    #[cold]
    fn poll_line(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Rejected>> {
        if self.stage == Stage::OUTSIDE && self.shared.limiter.observes() {
            let (limiter, of, permits) = (&self.shared.limiter, self.want.of(), self.want.permits());
            let told = limiter.borrow(of, permits, patience_of(limiter.max_wait()));
            self.admitted(AT_ONCE);
            if let Err(after) = told {
                self.shared.would_reject(after, self.want.key());
            }
            return Poll::Ready(Ok(()));
        }
        if self.stage == Stage::OUTSIDE {
            match self.arrive(cx) {
                Arrival::Entered => {
                    self.admitted(AT_ONCE);
                    return Poll::Ready(Ok(()));
                }
                Arrival::Refused(after) => return Poll::Ready(Err(self.reject(after))),
                Arrival::Waits { of, ticket } => {
                    self.want.turn_to(of);
                    self.stage = Stage(ticket);
                }
            }
        }
        let Stage(ticket) = self.stage;
        let deadline = deadline();
        let waited = loop {
            match self.shared.limiter.turn(self.want.of(), ticket, cx.waker(), deadline) {
                Turn::Now { waited } => break waited,
                Turn::Never => return Poll::Ready(Err(self.reject(None))),
                Turn::At(due) if deadline < due => {
                    self.shared.limiter.cancel(self.want.of(), ticket);
                    return Poll::Ready(Err(self.reject(Some(due.since(clock::tick())))));
                }
                // More than the clock can hold means thirty years, as it does to the timer.
                Turn::At(due) => {
                    self.timer = due.instant().map_or_else(|| Timer::after(Duration::MAX), Timer::until);
                }
            }
            if self.timer.poll(cx).is_pending() {
                patience::note_wait();
                return Poll::Pending;
            }
        };
        self.timer = Timer::NONE;
        self.shared.tally.add(WAIT_TIME, nanos(waited));
        self.admitted(WAITED);
        Poll::Ready(Ok(()))
    }

    /// Permits or a ticket, as long as the wait is within what the settings and the deadline allow.
    fn arrive(&self, cx: &Context<'_>) -> Arrival {
        let (limiter, of, permits) = (&self.shared.limiter, self.want.of(), self.want.permits());
        let most = if patience::is_endless() { Duration::MAX } else { limiter.max_wait() };
        let patience = patience_of(most);
        if patience.is_zero() {
            let refused = limiter.take_or_tell(of, permits);
            return refused.map_or_else(Arrival::Refused, |()| Arrival::Entered);
        }
        limiter.arrive(of, permits, Some(cx.waker().clone()), patience)
    }

    fn reject(&mut self, after: Option<Duration>) -> Rejected {
        self.stage = Stage::OVER;
        self.timer = Timer::NONE;
        self.shared.reject(after, self.want.key())
    }

    fn is_over(&self) -> bool {
        self.stage == Stage::OVER
    }
}

/// The time that a call waits, cut to its deadline.
fn patience_of(most: Duration) -> Duration {
    match deadline() {
        Tick::MAX => most,
        deadline => most.min(deadline.since(clock::tick())),
    }
}

/// When the call is given up, at latest.
fn deadline() -> Tick {
    frame::deadline().map_or(Tick::MAX, Tick::from)
}

impl<W: Want> Drop for Pass<'_, W> {
    #[inline]
    fn drop(&mut self) {
        match self.stage {
            Stage::OUTSIDE | Stage::THROUGH | Stage::OVER => {}
            Stage(ticket) => self.shared.abandon(self.want.of(), ticket),
        }
    }
}

impl Shared {
    #[cold]
    pub(super) fn reject(&self, retry_after: Option<Duration>, key: Option<&Arc<str>>) -> Rejected {
        self.tally.add(REJECTED, 1);
        registry::emit_for(STEM.name, self.name, key, || EventKind::Rejected { retry_after });
        Rejected::RateLimited { name: self.name, retry_after }
    }

    #[cold]
    fn would_reject(&self, retry_after: Option<Duration>, key: Option<&Arc<str>>) {
        self.tally.add(WOULD_REJECT, 1);
        registry::emit_for(STEM.name, self.name, key, || EventKind::WouldReject { retry_after });
    }

    #[cold]
    fn abandon(&self, of: u64, ticket: u64) {
        self.tally.add(ABANDONED, 1);
        self.limiter.cancel(of, ticket);
    }
}

pin_project! {
    /// A call that takes a permit before it begins.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Limited<'a, F, W: Want, C> {
        #[pin]
        inner: F,
        pass: Pass<'a, W>,
        class: PhantomData<C>,
    }
}

impl<'a, F, W: Want, C> Limited<'a, F, W, C> {
    #[inline]
    pub(super) fn new(limit: Limit<'a, W>, inner: F) -> Self {
        Self { inner, pass: limit.0, class: PhantomData }
    }
}

impl<F, W, C> Future for Limited<'_, F, W, C>
where
    F: Future,
    W: Want,
    C: Judge<F::Output>,
{
    type Output = Reply<C::Answer>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply<C::Answer>> {
        let this = self.project();
        if this.pass.is_over() {
            // Whoever polls again must not start the body anew.
            return Poll::Pending;
        }
        if let Err(rejected) = ready!(this.pass.poll(cx)) {
            return Poll::Ready(Reply::Refusal(rejected));
        }
        let out = ready!(this.inner.poll(cx));
        this.pass.stage = Stage::OVER;
        Poll::Ready(C::reply(out))
    }
}

/// A limit, and what a call wants of it.
#[derive(Debug)]
pub struct Limit<'a, W: Want>(pub(super) Pass<'a, W>);

impl<'a> Limit<'a, One> {
    #[inline]
    pub(super) const fn one(shared: &'a Shared) -> Self {
        Self(Pass::outside(shared, One))
    }
}

impl<'a> Limit<'a, Many> {
    pub(super) const fn many(shared: &'a Shared, permits: u32) -> Self {
        Self(Pass::outside(shared, Many(permits)))
    }
}

impl<'a> Limit<'a, OneOf> {
    pub(super) fn one_of(shared: &'a Shared, key: &str) -> Self {
        let of = shared.limiter.keys().of(key);
        let key = registry::hears_of_refusals().then(|| Arc::from(key));
        Self(Pass::outside(shared, OneOf { of, key }))
    }
}

impl<W: Want> Limit<'_, W> {
    /// Takes permits that are there.
    pub(super) fn take(self) -> Result<(), Rejected> {
        let Self(Pass { shared, want, .. }) = &self;
        match shared.limiter.take_or_tell(want.of(), want.permits()) {
            Ok(()) => {}
            Err(after) if shared.limiter.observes() => shared.would_reject(after, want.key()),
            Err(after) => return Err(shared.reject(after, want.key())),
        }
        shared.tally.add(AT_ONCE, 1);
        Ok(())
    }
}

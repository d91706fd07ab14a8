//! A call on its way into the bulkhead, in it, and out of it.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use resilient_settings::nanos;

use super::gate::Queued;
use super::{ABANDONED, ADMITTED, REJECTED, STEM, Shared, WAIT_TIME, WAITED, WOULD_REJECT, WOULD_WAIT};
use crate::error::Rejected;
use crate::events::EventKind;
use crate::level::{Judge, Reply};
use crate::timer::Timer;
use crate::{clock, frame, patience, registry};

/// Where a call stands. Whatever it holds is given back when it goes.
#[derive(Debug)]
pub(super) struct Place<'a> {
    shared: &'a Shared,
    stage: Stage,
    /// Of the wait.
    timer: Timer,
}

/// Outside, inside, past its end, or the ticket it waits with. An enum beside the timer would be a word longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stage(u64);

impl Stage {
    const OUTSIDE: Self = Self(0);
    const INSIDE: Self = Self(u64::MAX);
    const PAST: Self = Self(u64::MAX - 1);
}

impl<'a> Place<'a> {
    pub(super) const fn outside(shared: &'a Shared) -> Self {
        Self { shared, stage: Stage::OUTSIDE, timer: Timer::NONE }
    }

    /// Takes a place at once or not at all.
    pub(super) fn enter_now(&mut self) -> Result<(), Rejected> {
        if self.enter() { Ok(()) } else { self.refuse(false) }
    }

    #[inline]
    fn enter(&mut self) -> bool {
        let entered = self.shared.gate.enter();
        if entered {
            self.admitted();
        }
        entered
    }

    #[inline]
    pub(super) fn poll_enter(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Rejected>> {
        if self.stage == Stage::INSIDE || self.stage == Stage::OUTSIDE && self.enter() {
            return Poll::Ready(Ok(()));
        }
        self.poll_queue(cx)
    }

    #[inline]
    fn admitted(&mut self) {
        self.stage = Stage::INSIDE;
        self.shared.gate.tally.add(ADMITTED, 1);
    }

    /// Gives the place back, and takes no other.
    #[inline]
    fn leave(&mut self) {
        self.stage = Stage::PAST;
        self.shared.leave();
    }

    #[cold]
    fn poll_queue(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Rejected>> {
        // Whoever polls again must not start the body anew.
        if self.stage == Stage::PAST {
            return Poll::Pending;
        }
        if self.stage == Stage::OUTSIDE {
            let timer = self.patience();
            if self.shared.observes() {
                return Poll::Ready(self.refuse(timer.is_some()));
            }
            let Some(timer) = timer else { return Poll::Ready(Err(self.shared.reject())) };
            match self.shared.gate.queue(self.max_queue(), cx.waker()) {
                Queued::Entered => {
                    self.admitted();
                    return Poll::Ready(Ok(()));
                }
                Queued::Full => return Poll::Ready(Err(self.shared.reject())),
                Queued::Ticket(ticket) => (self.stage, self.timer) = (Stage(ticket), timer),
            }
        }
        let Stage(ticket) = self.stage;
        let since = loop {
            if let Some(since) = self.shared.gate.served(ticket, cx.waker()) {
                break since;
            }
            if self.timer.poll(cx).is_pending() {
                patience::note_wait();
                return Poll::Pending;
            }
            if patience::is_endless()
                && let Some(timer) = self.patience()
            {
                self.timer = timer;
                self.shared.gate.recount();
            } else if self.shared.gate.cancel(ticket) {
                self.stage = Stage::OUTSIDE;
                return Poll::Ready(self.refuse(false));
            }
        };
        self.timer = Timer::NONE;
        self.shared.gate.tally.add(WAITED, 1);
        self.shared.gate.tally.add(WAIT_TIME, nanos(clock::tick().since(since)));
        self.admitted();
        Poll::Ready(Ok(()))
    }

    /// Refuses the call, or notes that it would have been, or that it would have had to wait.
    fn refuse(&mut self, may_wait: bool) -> Result<(), Rejected> {
        let shared = self.shared;
        if !shared.observes() {
            return Err(shared.reject());
        }
        let waiting = shared.gate.enter_anyhow();
        self.admitted();
        if may_wait && waiting < u64::from(self.max_queue()) {
            shared.gate.tally.add(WOULD_WAIT, 1);
        } else {
            shared.gate.tally.add(WOULD_REJECT, 1);
            registry::emit(STEM.name, shared.name, || EventKind::WouldReject { retry_after: None });
        }
        Ok(())
    }

    fn max_queue(&self) -> u32 {
        if patience::is_endless() { u32::MAX } else { self.shared.max_queue() }
    }

    /// The timer of a wait, unless nobody can wait here: no time is left, or the place waited for may be
    /// the caller's own.
    fn patience(&self) -> Option<Timer> {
        let most = if patience::is_endless() { self.shared.be_waited_for() } else { self.shared.max_wait() };
        if most.is_zero() || self.shared.id.is_held() {
            return None;
        }
        let Some(deadline) = frame::deadline() else { return Some(Timer::after(most)) };
        let now = clock::now();
        let until = now.checked_add(most).map_or(deadline, |own| own.min(deadline));
        (until > now).then(|| Timer::until(until))
    }
}

impl Drop for Place<'_> {
    #[inline]
    fn drop(&mut self) {
        match self.stage {
            Stage::OUTSIDE | Stage::PAST => {}
            Stage::INSIDE => self.leave(),
            Stage(ticket) => self.shared.abandon(ticket),
        }
    }
}

impl Shared {
    #[inline]
    fn leave(&self) {
        self.gate.leave(self.waits());
    }

    #[cold]
    fn reject(&self) -> Rejected {
        self.gate.tally.add(REJECTED, 1);
        registry::emit(STEM.name, self.name, || EventKind::Rejected { retry_after: None });
        Rejected::BulkheadFull { name: self.name }
    }

    #[cold]
    fn abandon(&self, ticket: u64) {
        self.gate.tally.add(ABANDONED, 1);
        if !self.gate.abandon(ticket) {
            self.leave();
        }
    }
}

/// A place in a bulkhead, given back when this is dropped.
#[derive(Debug)]
#[must_use = "the place is given back when the permit is dropped"]
pub struct BulkheadPermit<'a> {
    _place: Place<'a>,
}

impl<'a> BulkheadPermit<'a> {
    pub(super) const fn new(place: Place<'a>) -> Self {
        Self { _place: place }
    }
}

pin_project! {
    /// A call that runs in a place of the bulkhead.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Confined<'a, F, C> {
        // Dropped before the place is given back: what it holds is gone when the next call begins.
        #[pin]
        inner: F,
        place: Place<'a>,
        class: PhantomData<C>,
    }
}

impl<'a, F, C> Confined<'a, F, C> {
    #[inline]
    pub(super) const fn new(shared: &'a Shared, inner: F) -> Self {
        Self { inner, place: Place::outside(shared), class: PhantomData }
    }
}

impl<F, C> Future for Confined<'_, F, C>
where
    F: Future,
    C: Judge<F::Output>,
{
    type Output = Reply<C::Answer>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply<C::Answer>> {
        let this = self.project();
        if let Err(rejected) = ready!(this.place.poll_enter(cx)) {
            this.place.stage = Stage::PAST;
            return Poll::Ready(Reply::Refusal(rejected));
        }
        let holding = this.place.shared.hold();
        let out = ready!(this.inner.poll(cx));
        drop(holding);
        this.place.leave();
        Poll::Ready(C::reply(out))
    }
}

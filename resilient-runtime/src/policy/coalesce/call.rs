//! A call on its way into a flight, as its leader or behind it.

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::flights::{Cargo, Waited};
use super::{ALONE, FLIGHTS, HANDED_OVER, JOINED, LATE, STEM, Shared};
use crate::copies::Copies;
use crate::error::{Fault, Rejected};
use crate::events::EventKind;
use crate::held::Waits;
use crate::key::{Key, Site};
use crate::level::{Judge, Reply};
use crate::outcome::Cause;
use crate::priority::Priority;
use crate::timer::Timer;
use crate::{clock, frame, registry};

/// An answer that several calls get.
type Landed<T, E> = Result<T, Fault<E>>;

/// What the calls of one flight share.
struct Flight<K, A> {
    site: Site,
    key: K,
    answer: OnceLock<A>,
}

/// What a call asks for.
struct Question<K> {
    site: Site,
    key: K,
}

/// Where a call stands. Whatever it holds is given back when it goes.
pub struct Seat<'a, K> {
    shared: &'a Shared,
    hash: u64,
    stage: Stage<K>,
}

enum Stage<K> {
    Outside(Question<K>),
    Leading(Cargo),
    /// Runs by itself: nobody joins, or it might wait for its own caller.
    Alone,
    Waiting(Behind<K>),
    Done,
}

/// A call that waits for a flight.
struct Behind<K> {
    question: Question<K>,
    cargo: Cargo,
    ticket: u64,
    /// Since when it waits, and how long: of a deadline that nobody else keeps.
    until: Option<Box<(Instant, Timer)>>,
    _waits: Waits,
}

/// What a call is to do next.
enum Turn<A> {
    Run,
    Answer(A),
    Refuse(Rejected),
}

impl<K: Eq + Send + Sync + 'static> Seat<'_, K> {
    /// Finds out whether to run, or what another call was answered.
    fn poll<A>(&mut self, cx: &mut Context<'_>) -> Poll<Turn<A>>
    where
        A: Clone + Send + Sync + 'static,
    {
        loop {
            let turn = match &self.stage {
                Stage::Outside(_) => {
                    self.board::<A>();
                    None
                }
                Stage::Waiting(_) => ready!(self.wait(cx)),
                Stage::Leading(_) | Stage::Alone => Some(Turn::Run),
                // Whoever polls again must not start the body anew.
                Stage::Done => return Poll::Pending,
            };
            if let Some(turn) = turn {
                return Poll::Ready(turn);
            }
        }
    }

    /// Begins a flight, or finds one to wait for.
    fn board<A: Send + Sync + 'static>(&mut self) {
        let shared = self.shared;
        if !shared.enabled.load(Relaxed) {
            return self.fly_alone();
        }
        let Some(question) = self.question() else { return };
        let load = |Question { site, key }| -> Cargo {
            Arc::new(Flight { site, key, answer: OnceLock::<A>::new() })
        };
        let (question, cargo) = match shared.flights.board(self.hash, question, load) {
            Err(joined) => joined,
            Ok(cargo) => {
                shared.tally.add(FLIGHTS, 1);
                self.stage = Stage::Leading(cargo);
                return;
            }
        };
        let waits = if is_same::<K, A>(&cargo, &question) { Waits::on(shared.id) } else { None };
        let Some(waits) = waits else { return self.fly_alone() };
        shared.tally.add(JOINED, 1);
        let until = frame::own_deadline().map(|until| Box::new((clock::now(), Timer::until(until))));
        self.stage = Stage::Waiting(Behind { question, cargo, ticket: 0, until, _waits: waits });
    }

    fn fly_alone(&mut self) {
        self.shared.tally.add(ALONE, 1);
        self.stage = Stage::Alone;
    }

    fn question(&mut self) -> Option<Question<K>> {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Outside(question) | Stage::Waiting(Behind { question, .. }) => Some(question),
            other => {
                self.stage = other;
                None
            }
        }
    }

    /// Nothing, if the flight ended without an answer for this call. A waker or a timer that panics leaves the
    /// ticket where it is given back.
    fn wait<A: Clone + Send + Sync + 'static>(&mut self, cx: &mut Context<'_>) -> Poll<Option<Turn<A>>> {
        let shared = self.shared;
        let Stage::Waiting(behind) = &mut self.stage else { return Poll::Ready(None) };
        match shared.flights.wait(self.hash, &behind.cargo, &mut behind.ticket, cx.waker()) {
            Waited::Led => {
                shared.tally.add(FLIGHTS, 1);
                self.stage = Stage::Leading(Arc::clone(&behind.cargo));
                Poll::Ready(Some(Turn::Run))
            }
            Waited::Over => {
                let flight = behind.cargo.downcast_ref::<Flight<K, A>>();
                let answer = flight.and_then(|flight| flight.answer.get()).cloned();
                let question = self.question();
                if answer.is_none() {
                    self.stage = question.map_or(Stage::Done, Stage::Outside);
                }
                Poll::Ready(answer.map(Turn::Answer))
            }
            Waited::Waiting => {
                let Some((since, timer)) = behind.until.as_deref_mut() else { return Poll::Pending };
                ready!(timer.poll(cx));
                let limit = clock::now().saturating_duration_since(*since);
                self.leave();
                Poll::Ready(Some(Turn::Refuse(shared.late(limit))))
            }
        }
    }
}

impl<K> Seat<'_, K> {
    fn leave(&mut self) {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Leading(cargo) => self.hand_over(&cargo),
            Stage::Waiting(behind) => self.shared.flights.leave(self.hash, &behind.cargo, behind.ticket),
            Stage::Outside(_) | Stage::Alone | Stage::Done => {}
        }
    }

    #[cold]
    fn hand_over(&self, cargo: &Cargo) {
        if self.shared.flights.hand_over(self.hash, cargo) {
            self.shared.tally.add(HANDED_OVER, 1);
            registry::emit(STEM.name, self.shared.name, || EventKind::HandedOver);
        }
    }
}

impl<K> fmt::Debug for Seat<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("hash", &self.hash).finish_non_exhaustive()
    }
}

impl<K> Drop for Seat<'_, K> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Two keys of one hash are kept apart: one of them runs by itself.
fn is_same<K: Eq + Send + Sync + 'static, A: Send + Sync + 'static>(
    cargo: &Cargo,
    own: &Question<K>,
) -> bool {
    let flight = cargo.downcast_ref::<Flight<K, A>>();
    flight.is_some_and(|flight| flight.site == own.site && flight.key == own.key)
}

impl Shared {
    pub(super) fn seat<K: Key>(&self, site: Site, key: &K) -> Seat<'_, K::Kept> {
        let mut hasher = self.hasher.build_hasher();
        site.hash(&mut hasher);
        key.feed(&mut hasher);
        let question = Question { site, key: key.keep() };
        Seat { shared: self, hash: hasher.finish(), stage: Stage::Outside(question) }
    }

    #[cold]
    fn late(&self, limit: Duration) -> Rejected {
        self.tally.add(LATE, 1);
        registry::emit(STEM.name, self.name, || EventKind::TimedOut { limit });
        Rejected::TimedOut { name: self.name, limit }
    }
}

pin_project! {
    /// A call that leads a flight, or waits for the answer of one.
    #[must_use = "futures do nothing unless polled"]
    pub struct Coalesced<'a, K, F, C, S> {
        // Dropped before the lead is handed over: what it holds is gone when the next one begins.
        #[pin]
        inner: F,
        seat: Seat<'a, K>,
        judged: PhantomData<fn() -> (C, S)>,
    }
}

impl<K, F, C, S> fmt::Debug for Coalesced<'_, K, F, C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coalesced").field("seat", &self.seat).finish_non_exhaustive()
    }
}

impl<'a, K, F, C, S> Coalesced<'a, K, F, C, S> {
    pub(super) const fn new(seat: Seat<'a, K>, inner: F) -> Self {
        Self { inner, seat, judged: PhantomData }
    }
}

impl<K, F, T, E, C, S, X> Future for Coalesced<'_, K, F, C, (S, X)>
where
    K: Eq + Send + Sync + 'static,
    F: Future,
    C: Judge<F::Output, Value = T, Error = E, Answer = Result<T, E>>,
    S: Copies<T>,
    X: Copies<E>,
{
    type Output = Reply<Result<T, E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reply<Result<T, E>>> {
        let this = self.project();
        match ready!(this.seat.poll::<Landed<S::Kept, X::Kept>>(cx)) {
            Turn::Run => {}
            Turn::Answer(Ok(kept)) => return Poll::Ready(Reply::Answer(Ok(S::give(kept)))),
            Turn::Answer(Err(Fault::Failed(kept))) => return Poll::Ready(Reply::Answer(Err(X::give(kept)))),
            Turn::Answer(Err(Fault::Rejected(rejected))) | Turn::Refuse(rejected) => {
                return Poll::Ready(Reply::Refusal(rejected));
            }
        }
        let holding = this.seat.shared.id.enter();
        let out = ready!(this.inner.poll(cx));
        drop(holding);
        this.seat.land(|| match C::seen(&out) {
            Ok(Ok(value)) => S::keep(value).map(Ok),
            _ if C::cause(&out).is_some_and(|cause| is_own(&cause)) => None,
            Ok(Err(error)) => X::keep(error).map(|kept| Err(Fault::Failed(kept))),
            Err(rejected) => Some(Err(Fault::Rejected(rejected.clone()))),
        });
        Poll::Ready(C::reply(out))
    }
}

/// Whether a refusal says something about the call that ran and nothing about those that wait: these may have
/// more time left, or be more important.
#[cold]
fn is_own(cause: &Cause) -> bool {
    let left = || Some(frame::deadline()?.saturating_duration_since(clock::now()));
    let Cause::Rejected(rejected) = cause else { return false };
    match rejected {
        Rejected::TimedOut { .. } | Rejected::BulkheadFull { .. } => left() == Some(Duration::ZERO),
        Rejected::RateLimited { retry_after, .. } => left().is_some_and(|left| Some(left) < *retry_after),
        Rejected::Overloaded { priority, .. } => *priority < Priority::Critical,
        Rejected::CircuitOpen { .. } => false,
    }
}

impl<K: Send + Sync + 'static> Seat<'_, K> {
    /// Gives the answer to all who wait for it, if it can be given to several. Nobody else may: no answer is
    /// copied.
    fn land<T, E>(&mut self, answer: impl FnOnce() -> Option<Landed<T, E>>)
    where
        Landed<T, E>: Send + Sync + 'static,
    {
        let Stage::Leading(cargo) = &self.stage else {
            self.stage = Stage::Done;
            return;
        };
        if !self.shared.flights.is_awaited(self.hash, cargo) {
            return self.leave();
        }
        // The user's `clone` may panic: the lead is handed over as long as the call has it.
        let Some(answer) = answer() else { return self.leave() };
        if let Some(flight) = cargo.downcast_ref::<Flight<K, Landed<T, E>>>() {
            // Nobody else leads this flight.
            let _ = flight.answer.set(answer);
        }
        self.shared.flights.land(self.hash, cargo);
        self.stage = Stage::Done;
    }
}

//! Attempt and deadline of the running call, a word each, swapped into the thread while a layer polls.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use resilient_settings::nanos;
use tokio::time::Instant;

use crate::clock::{self, Tick};
use crate::held::Held;
use crate::policy::budget::Payer;
use crate::priority::{self, Priority};

thread_local! {
    static ATTEMPT: Cell<Trial> = const { Cell::new(Trial::OUTSIDE) };
    static DEADLINE: Cell<Deadline> = const { Cell::new(Deadline::NONE) };
}

/// When the running code is given up, in one word: nanoseconds above, what they mean below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadline(u64);

/// Nobody keeps it; what stands above is for who only watches.
const NOBODYS: u64 = 0;
/// Counts from the first time somebody asks, so that nobody reads the clock before.
const AFTER: u64 = 1;
/// Inherited or asked for by `within`: those inside have to keep it.
const AT: u64 = 2;
/// Kept by a layer of this task, which ends the call then.
const ENFORCED_AT: u64 = 3;
const KIND: u64 = 3;
const KIND_BITS: u32 = KIND.count_ones();

impl Deadline {
    /// None, or one further away than these bits or the clock can tell.
    pub(crate) const NONE: Self = Self(0);

    const fn new(nanos: u64, kind: u64) -> Self {
        if nanos > u64::MAX >> KIND_BITS { Self::NONE } else { Self(nanos << KIND_BITS | kind) }
    }

    /// So long from the first question on, or from [`start`](Self::start); what is too long is cut.
    pub(crate) const fn after(limit: Duration) -> Self {
        let (nanos, most) = (nanos(limit), u64::MAX >> KIND_BITS);
        Self::new(if nanos > most { most } else { nanos }, AFTER)
    }

    /// For who only looks how long it takes: to everybody else it is no deadline.
    pub(crate) const fn watched(limit: Duration) -> Self {
        let nanos = if limit.is_zero() { 1 } else { Self::after(limit).nanos() };
        Self(nanos << KIND_BITS)
    }

    /// The time this was made [`watched`](Self::watched), if it was.
    pub(crate) fn is_watched(self) -> Option<Duration> {
        (self.is_none() && self != Self::NONE).then(|| Duration::from_nanos(self.nanos()))
    }

    /// Whether nobody has to keep it.
    #[inline]
    const fn is_none(self) -> bool {
        self.kind() == NOBODYS
    }

    /// The moment so far from now, which nobody keeps.
    pub(crate) fn within(limit: Duration) -> Self {
        clock::now().checked_add(limit).map_or(Self::NONE, |at| Self::at(at, AT))
    }

    fn at(at: Instant, kind: u64) -> Self {
        Self::new(Tick::from(at).nanos(), kind)
    }

    /// For a setting that many threads read.
    pub(crate) const fn word(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) const fn of_word(word: u64) -> Self {
        Self(word)
    }

    /// What is left from the first question on, or ever since the clock's origin.
    const fn nanos(self) -> u64 {
        self.0 >> KIND_BITS
    }

    /// The time this was made [`after`](Self::after).
    pub(crate) const fn limit(self) -> Duration {
        Duration::from_nanos(if self.0 == Self::NONE.0 { u64::MAX } else { self.nanos() })
    }

    const fn kind(self) -> u64 {
        self.0 & KIND
    }

    const fn with(self, kind: u64) -> Self {
        Self(self.0 & !KIND | kind)
    }

    /// Counts from now, unless it does already, and says until when.
    pub(crate) fn start(&mut self) -> Option<Instant> {
        if self.kind() != AFTER {
            return self.instant();
        }
        let at = clock::now().checked_add(self.limit());
        *self = at.map_or(Self::NONE, |at| Self::at(at, ENFORCED_AT));
        at
    }

    /// The moment, once it counts.
    pub(crate) fn instant(self) -> Option<Instant> {
        if self.kind() < AT { None } else { Tick::from_nanos(self.nanos()).instant() }
    }

    /// Puts this deadline in force until the guard goes.
    #[inline]
    pub(crate) fn enter(&mut self) -> InForce {
        let mut outer = DEADLINE.get();
        let inner = if outer.is_none() { *self } else { self.enter_within(&mut outer) };
        DEADLINE.set(inner);
        InForce { outer }
    }

    /// Under another deadline both have to be known, to tell which comes first.
    #[cold]
    fn enter_within(&mut self, outer: &mut Self) -> Self {
        // Also where this one is none: what starts inside would be taken for its own.
        outer.start();
        if self.is_none() {
            return *outer;
        }
        self.start();
        if outer.is_none() || self.nanos() < outer.nanos() {
            return *self;
        }
        if outer.kind() == ENFORCED_AT {
            return *outer;
        }
        *self = outer.with(ENFORCED_AT);
        *self
    }
}

/// Restores the surrounding deadline, also when the code inside panics.
#[must_use]
pub(crate) struct InForce {
    outer: Deadline,
}

impl InForce {
    /// Ends, and says whether `deadline` was in force; if so it becomes what the code inside made of it.
    ///
    /// If not, an enclosing timeout that is no later drops us in time, and it is the one to blame. By the next
    /// poll it may be gone.
    #[inline]
    pub(crate) fn binds(self, deadline: &mut Deadline) -> bool {
        let inner = DEADLINE.get();
        let binds = inner != self.outer;
        if binds {
            *deadline = inner;
        }
        binds
    }
}

impl Drop for InForce {
    #[inline]
    fn drop(&mut self) {
        DEADLINE.set(self.outer);
    }
}

/// Which attempt runs, and who pays for further ones, in one word: the payer above, the number below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trial(u64);

const NUMBER: u64 = u32::MAX as u64;

impl Trial {
    /// No attempt, or one of a retry that is switched off: what surrounds it stays as it is.
    pub(crate) const OUTSIDE: Self = Self::first(Payer::NOBODY);

    pub(crate) const fn first(payer: Payer) -> Self {
        Self((payer.0 as u64) << u32::BITS | 1)
    }

    /// For a setting that many threads read.
    pub(crate) const fn word(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) const fn of_word(word: u64) -> Self {
        Self(word)
    }

    pub(crate) const fn nth(self, number: u32) -> Self {
        Self(self.0 & !NUMBER | number as u64)
    }

    #[inline]
    pub(crate) const fn number(self) -> u32 {
        (self.0 & NUMBER) as u32
    }

    #[expect(clippy::cast_possible_truncation, reason = "nothing stands above the payer")]
    const fn payer(self) -> Payer {
        Payer((self.0 >> u32::BITS) as u16)
    }

    #[inline]
    const fn is_inside(self) -> bool {
        self.0 >> u32::BITS != 0
    }
}

/// Who pays for the attempts of the retry or hedge around the running code.
pub(crate) fn payer() -> Payer {
    ATTEMPT.get().payer()
}

/// Restores what surrounds an attempt, also when the code inside panics.
#[must_use]
pub(crate) struct Attempting {
    outer: Trial,
    _within: Option<InForce>,
}

/// Lets the code inside see which attempt it is, and `within` if that is nearer than what bounds it anyway.
///
/// `paid_for` is told where the budget of an attempt outside pays for those inside.
#[inline]
pub(crate) fn enter_attempt(trial: Trial, within: Deadline, paid_for: impl FnOnce()) -> Attempting {
    let outer = ATTEMPT.get();
    if within != Deadline::NONE || outer.is_inside() {
        return enter_bounded(trial, within, paid_for);
    }
    ATTEMPT.set(trial);
    Attempting { outer, _within: None }
}

/// Whoever pays for the attempts outside pays for those inside too.
#[cold]
fn enter_bounded(trial: Trial, within: Deadline, paid_for: impl FnOnce()) -> Attempting {
    let within = if within == Deadline::NONE { None } else { enter_kept(within) };
    let outer = ATTEMPT.get();
    let paid = outer.is_inside() && outer.payer() != Payer::EACH;
    if trial.is_inside() {
        ATTEMPT.set(if paid { outer.nth(trial.number()) } else { trial });
        if paid {
            paid_for();
        }
    }
    Attempting { outer, _within: within }
}

fn enter_kept(within: Deadline) -> Option<InForce> {
    let mut outer = DEADLINE.get();
    outer.start();
    DEADLINE.set(outer);
    let nearer = outer.is_none() || within.nanos() < outer.nanos();
    nearer.then(|| {
        DEADLINE.set(within);
        InForce { outer }
    })
}

impl Drop for Attempting {
    #[inline]
    fn drop(&mut self) {
        ATTEMPT.set(self.outer);
    }
}

/// Number of the running attempt, from 1.
///
/// Outside a retry the call is its own first attempt.
///
/// ```
/// use resilient_runtime::{attempt, retry};
///
/// #[retry(max = 3, base = "0s")]
/// async fn third_time() -> Result<u32, &'static str> {
///     if attempt() == 3 { Ok(attempt()) } else { Err("not yet") }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(third_time().await, Ok(3));
/// assert_eq!(attempt(), 1);
/// # }
/// ```
#[must_use]
pub fn attempt() -> u32 {
    ATTEMPT.get().number()
}

/// When the call around this code is given up, if it is bounded.
///
/// The nearest of all timeouts and `within`s around the running code. A timeout counts from
/// the first time its body is not ready, or from the first question, whichever comes first.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Fault, deadline, timeout};
///
/// #[timeout("2s")]
/// async fn budget() -> Result<Option<Duration>, Fault<()>> {
///     Ok(deadline().map(|at| at - tokio::time::Instant::now()))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert!(budget().await.unwrap().is_some_and(|left| left <= Duration::from_secs(2)));
/// assert_eq!(deadline(), None);
/// # }
/// ```
#[must_use]
pub fn deadline() -> Option<Instant> {
    let mut deadline = DEADLINE.get();
    if deadline.is_none() {
        return None;
    }
    let at = deadline.start();
    DEADLINE.set(deadline);
    at
}

/// The deadline, where nobody ends the running code then but itself.
pub(crate) fn own_deadline() -> Option<Instant> {
    deadline().filter(|_| DEADLINE.get().kind() != ENFORCED_AT)
}

pin_project! {
    /// Future of [`inherit`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Inherit<F> {
        #[pin]
        inner: F,
        trial: Trial,
        deadline: Deadline,
        held: Held,
        priority: Option<Priority>,
    }
}

/// Carries attempt, deadline and priority of the running call into spawned work.
///
/// Nothing drops spawned work at the deadline, so the timeouts inside it are cut to it.
///
/// It also counts as within the bulkheads and coalesced calls of the running call, and as that for as long as it
/// runs: where it would wait for one of these it is refused, or runs by itself, even after that call has ended.
/// Spawn work that outlives the call without `inherit`.
///
/// ```
/// use resilient_runtime::{deadline, inherit, timeout, Fault};
///
/// #[timeout("2s")]
/// async fn split() -> Result<bool, Fault<tokio::task::JoinError>> {
///     let ours = deadline();
///     let theirs = tokio::spawn(inherit(async { deadline() })).await.map_err(Fault::Failed)?;
///     Ok(ours == theirs)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert!(split().await.unwrap());
/// # }
/// ```
///
/// # Cancel safety
///
/// As cancel safe as `future`.
pub fn inherit<F: Future>(future: F) -> Inherit<F> {
    let deadline = match deadline() {
        None => Deadline::NONE,
        Some(_) => DEADLINE.get().with(AT),
    };
    let (held, priority) = (Held::current(), priority::priority());
    Inherit { inner: future, trial: ATTEMPT.get(), deadline, held, priority }
}

impl<F: Future> Future for Inherit<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _in_force = InForce { outer: DEADLINE.replace(*this.deadline) };
        let _attempting = Attempting { outer: ATTEMPT.replace(*this.trial), _within: None };
        let _holding = this.held.enter();
        let _ranked = priority::enter(*this.priority);
        this.inner.poll(cx)
    }
}

//! Attempt and deadline of the running call, swapped into the thread while a layer polls.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Instant;

use crate::clock;

/// What the running code may know about the layers around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    attempt: u32,
    /// Whether a layer of this task ends the call at the deadline. What is only inherited or
    /// asked for by `within` has to be kept by those inside.
    enforced: bool,
    deadline: Deadline,
}

#[derive(Clone, Copy, Debug)]
enum Deadline {
    None,
    /// Counts from the first time somebody asks, so that nobody reads the clock before.
    After(Duration),
    At(Instant),
}

impl Frame {
    const ROOT: Self = Self { attempt: 1, enforced: false, deadline: Deadline::None };

    pub(crate) fn current() -> Self {
        FRAME.get()
    }

    /// The surrounding frame as attempt `attempt` sees it, and no later than `within`, at
    /// which nobody cuts the call.
    #[inline]
    pub(crate) fn of_attempt(attempt: u32, within: Option<Instant>) -> Self {
        match within {
            None => Self { attempt, ..Self::current() },
            Some(at) => Self::of_bounded_attempt(attempt, at),
        }
    }

    fn of_bounded_attempt(attempt: u32, within: Instant) -> Self {
        let outer = deadline();
        let frame = Self { attempt, ..Self::current() };
        if outer.is_some_and(|outer| outer <= within) {
            return frame;
        }
        Self { enforced: false, deadline: Deadline::At(within), ..frame }
    }

    /// This frame as code sees it that runs in another task.
    fn inherited() -> Self {
        let deadline = deadline().map_or(Deadline::None, Deadline::At);
        Self { enforced: false, deadline, ..Self::current() }
    }

    /// Puts this frame in force until the guard goes.
    #[inline]
    pub(crate) fn enter(self) -> Entered {
        let outer = FRAME.replace(self);
        let counts = |frame: Self| matches!(frame.deadline, Deadline::After(_));
        Entered { outer, same_countdown: counts(self) && counts(outer) }
    }
}

thread_local! {
    static FRAME: Cell<Frame> = const { Cell::new(Frame::ROOT) };
}

/// Restores the surrounding frame, also when the code inside panics.
#[must_use]
pub(crate) struct Entered {
    outer: Frame,
    /// Whether what the code inside found out about the deadline holds outside too.
    same_countdown: bool,
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        let inner = FRAME.replace(self.outer);
        if self.same_countdown {
            FRAME.set(Frame { deadline: inner.deadline, ..self.outer });
        }
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
    FRAME.get().attempt
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
    let frame = FRAME.get();
    match frame.deadline {
        Deadline::None => None,
        Deadline::At(at) => Some(at),
        Deadline::After(limit) => {
            let at = clock::now().checked_add(limit);
            let deadline = at.map_or(Deadline::None, Deadline::At);
            FRAME.set(Frame { deadline, ..frame });
            at
        }
    }
}

/// The deadline a timeout works towards, found out as late as possible.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Countdown {
    /// Nobody has asked and nothing has waited yet.
    Fresh(Duration),
    Until(Instant),
    /// Further away than the clock can tell, or none of ours.
    Never,
}

impl Countdown {
    /// Runs `poll` under this deadline and takes over what it found out.
    #[inline]
    pub(crate) fn poll<T>(&mut self, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let outer = FRAME.get();
        if !matches!(outer.deadline, Deadline::None) {
            return self.poll_within(poll);
        }
        let deadline = match *self {
            Self::Fresh(limit) => Deadline::After(limit),
            Self::Until(at) => Deadline::At(at),
            Self::Never => Deadline::None,
        };
        let entered = Frame { enforced: true, deadline, ..outer }.enter();
        let out = poll();
        self.learn(FRAME.get().deadline);
        drop(entered);
        out
    }

    fn learn(&mut self, deadline: Deadline) {
        if let Self::Fresh(_) = self {
            match deadline {
                Deadline::None => *self = Self::Never,
                Deadline::At(at) => *self = Self::Until(at),
                Deadline::After(_) => {}
            }
        }
    }

    /// Under another deadline both have to be known, to tell which comes first.
    #[cold]
    fn poll_within<T>(&mut self, poll: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let outer_at = deadline();
        let outer = FRAME.get();
        self.start();
        let frame = match (*self, outer_at) {
            (Self::Until(own), Some(theirs)) if own >= theirs => {
                // An enclosing timeout drops us in time, and it is the one to blame.
                *self = if outer.enforced { Self::Never } else { Self::Until(theirs) };
                outer
            }
            (Self::Until(own), _) => Frame { enforced: true, deadline: Deadline::At(own), ..outer },
            _ => outer,
        };
        let _entered = frame.enter();
        poll()
    }

    /// Counts from now, unless it does already, and says until when.
    pub(crate) fn start(&mut self) -> Option<Instant> {
        if let Self::Fresh(limit) = *self {
            *self = clock::now().checked_add(limit).map_or(Self::Never, Self::Until);
        }
        match *self {
            Self::Until(at) => Some(at),
            Self::Fresh(_) | Self::Never => None,
        }
    }
}

pin_project! {
    /// Future of [`inherit`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Inherit<F> {
        #[pin]
        inner: F,
        frame: Frame,
    }
}

/// Carries attempt and deadline of the running call into spawned work.
///
/// Nothing drops spawned work at the deadline, so the timeouts inside it are cut to it.
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
    Inherit { inner: future, frame: Frame::inherited() }
}

impl<F: Future> Future for Inherit<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.frame.enter();
        this.inner.poll(cx)
    }
}

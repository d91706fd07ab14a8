//! The time between two attempts.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::task::coop;
use tokio::time::Sleep;

use crate::clock;

/// A wait that has not begun; so small that it costs the call's future nothing.
#[derive(Clone, Copy, Debug)]
#[must_use = "the next attempt is due after the wait"]
pub(super) struct Wait(pub(super) Duration);

impl IntoFuture for Wait {
    type Output = ();
    type IntoFuture = Waiting;

    fn into_future(self) -> Waiting {
        match self.0 {
            Duration::ZERO => Waiting::Nothing,
            delay => Waiting::Sleeping { sleep: clock::sleep(delay) },
        }
    }
}

pin_project! {
    /// A wait that has begun.
    #[project = WaitingProjection]
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub enum Waiting {
        Nothing,
        Sleeping { #[pin] sleep: Sleep },
    }
}

impl Future for Waiting {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project() {
            // No timer, but attempts that never wait must let other tasks run once in a while.
            WaitingProjection::Nothing => {
                ready!(coop::poll_proceed(cx)).made_progress();
                Poll::Ready(())
            }
            WaitingProjection::Sleeping { sleep } => sleep.poll(cx),
        }
    }
}

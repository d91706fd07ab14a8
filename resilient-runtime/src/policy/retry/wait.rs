//! The time between two attempts.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::task::coop;

use crate::timer::Timer;

/// A wait that has not begun.
#[derive(Clone, Copy, Debug)]
#[must_use = "the next attempt is due after the wait"]
pub(super) struct Wait(pub(super) Duration);

impl IntoFuture for Wait {
    type Output = ();
    type IntoFuture = Waiting;

    fn into_future(self) -> Waiting {
        Waiting(if self.0.is_zero() { Timer::NONE } else { Timer::after(self.0) })
    }
}

/// A wait that has begun.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub(super) struct Waiting(Timer);

impl Future for Waiting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.is_none() {
            // Attempts that never wait must let other tasks run once in a while.
            ready!(coop::poll_proceed(cx)).made_progress();
        }
        self.0.poll(cx)
    }
}

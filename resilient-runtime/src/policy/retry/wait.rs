//! The time between two attempts.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::task::coop;

use crate::timer::Timer;

/// A wait that has begun; one of no time has no timer.
#[derive(Debug)]
pub(super) struct Waiting(Timer);

impl Waiting {
    #[inline]
    pub(super) fn new(delay: Duration) -> Self {
        Self(if delay.is_zero() { Timer::NONE } else { Timer::after(delay) })
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.is_none() {
            // Attempts that never wait must let other tasks run once in a while.
            ready!(coop::poll_proceed(cx)).made_progress();
        }
        self.0.poll(cx)
    }
}

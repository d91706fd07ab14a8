//! The time between two attempts.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::task::coop;
use tokio::time::Sleep;

use crate::clock;

/// A timer's memory, used again, so that a retried call is small and its waits allocate nothing. Empty
/// while nobody has it, for a timer belongs to one runtime and the pool to none.
type Slot = Pin<Box<Option<Sleep>>>;

/// What a thread keeps, some thirty kilobytes.
const POOLED: usize = 256;

thread_local! {
    static POOL: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}

/// A wait that has begun; one of no time has no timer.
#[derive(Debug)]
pub(super) struct Waiting(Option<Slot>);

impl Waiting {
    pub(super) fn new(delay: Duration) -> Self {
        if delay.is_zero() {
            return Self(None);
        }
        let kept = POOL.try_with(|pool| pool.try_borrow_mut().ok()?.pop()).ok().flatten();
        let mut slot = kept.unwrap_or_else(|| Box::pin(None));
        slot.set(Some(clock::sleep(delay)));
        Self(Some(slot))
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(sleep) = self.0.as_mut().and_then(|slot| slot.as_mut().as_pin_mut()) {
            return sleep.poll(cx);
        }
        // Attempts that never wait must let other tasks run once in a while.
        ready!(coop::poll_proceed(cx)).made_progress();
        Poll::Ready(())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(mut slot) = self.0.take() else { return };
        slot.set(None);
        // A thread that ends keeps nothing.
        let _ = POOL.try_with(|pool| {
            if let Ok(mut pool) = pool.try_borrow_mut()
                && pool.len() < POOLED
            {
                pool.push(slot);
            }
        });
    }
}

//! Timers in memory that is used again: a call that may wait is small, and its waits allocate nothing.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::clock;

/// Empty while nobody has it, because a timer belongs to one runtime and the pool to none.
type Slot = Pin<Box<Option<Sleep>>>;

/// What a thread keeps, some thirty kilobytes.
const POOLED: usize = 256;

thread_local! {
    static POOL: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}

/// A timer, or none.
#[derive(Debug)]
pub(crate) struct Timer(Option<Slot>);

impl Timer {
    pub(crate) const NONE: Self = Self(None);

    pub(crate) const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// The caller makes sure that a runtime is there.
    pub(crate) fn until(deadline: Instant) -> Self {
        Self::holding(clock::sleep_until(deadline))
    }

    /// More than the clock can hold means thirty years.
    pub(crate) fn after(delay: Duration) -> Self {
        Self::holding(clock::sleep(delay))
    }

    fn holding(sleep: Sleep) -> Self {
        let kept = POOL.try_with(|pool| pool.try_borrow_mut().ok()?.pop()).ok().flatten();
        let mut slot = kept.unwrap_or_else(|| Box::pin(None));
        slot.set(Some(sleep));
        Self(Some(slot))
    }

    /// Ready once the time has come, or at once if this is none.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.as_mut().and_then(|slot| slot.as_mut().as_pin_mut());
        sleep.map_or(Poll::Ready(()), |sleep| sleep.poll(cx))
    }

    #[cold]
    fn give_back(mut slot: Slot) {
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

impl Drop for Timer {
    #[inline]
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            Self::give_back(slot);
        }
    }
}

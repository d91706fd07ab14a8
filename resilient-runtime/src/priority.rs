//! How important the running work is, a byte swapped into the thread while it polls.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

thread_local! {
    static PRIORITY: Cell<Option<Priority>> = const { Cell::new(None) };
}

/// How important a call is; a load shedder refuses the least important first.
///
/// Priorities compare by importance: `Priority::Optional < Priority::Critical`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the settings of a shedder have one level for each")]
// A word, for it stands in `Rejected`: beside a byte its tag would be one, and each answer of a stack would be
// copied in pieces, which takes nearly twice the time.
#[repr(u64)]
pub enum Priority {
    /// Nice to have: prefetching, recommendations, statistics.
    Optional,
    /// What most calls are.
    #[default]
    Normal,
    /// What users notice when it is missing.
    Important,
    /// What must not fail while anything else is served: payments, health checks.
    Critical,
}

impl Priority {
    /// All of them, the least important first.
    pub(crate) const ALL: [Self; 4] = [Self::Optional, Self::Normal, Self::Important, Self::Critical];

    /// The word that `#[load_shed(priority = …)]` takes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Normal => "normal",
            Self::Important => "important",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How important the running work is, if somebody said so.
///
/// The nearest [`with_priority`] around the running code decides.
///
/// ```
/// use resilient_runtime::{Priority, priority, with_priority};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let told = with_priority(Priority::Critical, async { priority() }).await;
/// assert_eq!(told, Some(Priority::Critical));
/// assert_eq!(priority(), None);
/// # }
/// ```
#[must_use]
pub fn priority() -> Option<Priority> {
    PRIORITY.get()
}

/// Restores what was said outside, also when the code inside panics.
#[must_use]
pub(crate) struct Ranked {
    outer: Option<Priority>,
}

/// Puts `priority` in force until the guard goes.
#[inline]
pub(crate) fn enter(priority: Option<Priority>) -> Ranked {
    Ranked { outer: PRIORITY.replace(priority) }
}

impl Drop for Ranked {
    #[inline]
    fn drop(&mut self) {
        PRIORITY.set(self.outer);
    }
}

pin_project! {
    /// Future of [`with_priority`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct WithPriority<F> {
        #[pin]
        inner: F,
        priority: Priority,
    }
}

/// Says how important everything is that `future` calls.
///
/// A request handler says it once; each load shedder below then goes by it instead of by the priority its
/// function has of its own. Spawned work is told by [`inherit`](crate::inherit).
///
/// ```
/// use resilient_runtime::{Priority, Rejected, load_shed, with_priority};
///
/// #[load_shed(name = "shop")]
/// async fn price(sku: &str) -> Result<u32, Rejected> {
///     Ok(sku.len() as u32)
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(with_priority(Priority::Critical, price("tea")).await, Ok(3));
/// # }
/// ```
///
/// # Cancel safety
///
/// As cancel safe as `future`.
pub const fn with_priority<F: Future>(priority: Priority, future: F) -> WithPriority<F> {
    WithPriority { inner: future, priority }
}

impl<F: Future> Future for WithPriority<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _ranked = enter(Some(*this.priority));
        this.inner.poll(cx)
    }
}

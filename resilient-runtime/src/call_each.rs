//! A stream of work through an annotated function, pulled no faster than its policies let it in.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{FuturesUnordered, Stream, StreamExt as _};
use pin_project_lite::pin_project;

use crate::patience;

/// Calls a guarded function for each item of a stream.
pub trait CallEach: Stream + Sized {
    /// Calls `call` for each item, at most `most` at once, and yields the answers as they come.
    ///
    /// An item is pulled when there is room: fewer than `most` calls are under way, and none of them still
    /// waits for a place in a bulkhead or a permit of a rate limit. There the calls, and guarded functions
    /// that they call, wait as long as it takes instead of being refused, but no longer than to their deadline. So at most `most` items are held, and
    /// the source is asked no faster than answers are taken. `most` is at least one.
    ///
    /// Every item that is pulled gives one answer, be it a refusal.
    ///
    /// ```
    /// use futures_util::{StreamExt as _, stream};
    /// use resilient_runtime::{CallEach as _, Rejected, bulkhead, rate_limit};
    ///
    /// #[rate_limit(name = "partner", rate = "100/s", burst = 2)]
    /// #[bulkhead(name = "partner", max_concurrent = 2)]
    /// async fn send(order: u32) -> Result<u32, Rejected> {
    ///     tokio::task::yield_now().await;
    ///     Ok(order)
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let sent: Vec<_> = stream::iter(0..6).call_each(10, send).collect().await;
    /// assert!(sent.len() == 6 && sent.iter().all(Result::is_ok));
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When a call has to wait outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the stream drops the calls under way where they stand, with what they hold. Items that were
    /// not pulled stay in the source, which `by_ref` keeps.
    fn call_each<F, C>(self, most: usize, call: F) -> Calls<Self, F, C>
    where
        F: FnMut(Self::Item) -> C,
        C: Future,
    {
        Calls {
            source: self,
            call,
            most: most.max(1),
            is_over: false,
            entering: None,
            running: FuturesUnordered::new(),
        }
    }
}

impl<S: Stream> CallEach for S {}

pin_project! {
    /// Stream of [`CallEach::call_each`].
    #[must_use = "streams do nothing unless polled"]
    pub struct Calls<S, F, C> {
        #[pin]
        source: S,
        call: F,
        most: usize,
        is_over: bool,
        // Waits for a place or a permit, or was never polled.
        entering: Option<Pin<Box<C>>>,
        running: FuturesUnordered<Pin<Box<C>>>,
    }
}

impl<S, F, C> fmt::Debug for Calls<S, F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waits = self.entering.is_some();
        f.debug_struct("Calls")
            .field("running", &self.running.len())
            .field("waits", &waits)
            .finish_non_exhaustive()
    }
}

impl<S, F, C> Calls<S, F, C>
where
    S: Stream,
    F: FnMut(S::Item) -> C,
    C: Future,
{
    /// Lets the next call in, or pulls its item. Breaks with an answer that was there at once, or with nothing
    /// when a call waits, there are enough, or the source has no item now.
    fn let_in(self: Pin<&mut Self>, cx: &mut Context<'_>) -> ControlFlow<Option<C::Output>> {
        let this = self.project();
        if let Some(mut call) = this.entering.take() {
            let (polled, waits) = patience::endlessly(|| call.as_mut().poll(cx));
            if let Poll::Ready(answer) = polled {
                return ControlFlow::Break(Some(answer));
            }
            if waits {
                *this.entering = Some(call);
                return ControlFlow::Break(None);
            }
            this.running.push(call);
        }
        if *this.is_over || this.running.len() >= *this.most {
            return ControlFlow::Break(None);
        }
        match this.source.poll_next(cx) {
            Poll::Ready(Some(item)) => *this.entering = Some(Box::pin((this.call)(item))),
            Poll::Ready(None) => *this.is_over = true,
            Poll::Pending => return ControlFlow::Break(None),
        }
        ControlFlow::Continue(())
    }
}

impl<S, F, C> Stream for Calls<S, F, C>
where
    S: Stream,
    F: FnMut(S::Item) -> C,
    C: Future,
{
    type Item = C::Output;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<C::Output>> {
        let answer = loop {
            if let ControlFlow::Break(answer) = self.as_mut().let_in(cx) {
                break answer;
            }
        };
        if answer.is_some() {
            return Poll::Ready(answer);
        }
        let this = self.project();
        match patience::endlessly(|| this.running.poll_next_unpin(cx)).0 {
            Poll::Ready(None) if *this.is_over && this.entering.is_none() => Poll::Ready(None),
            Poll::Ready(None) => Poll::Pending,
            polled => polled,
        }
    }
}

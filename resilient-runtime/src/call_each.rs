//! A stream of work through an annotated function, pulled no faster than its policies let it in.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};

use futures_util::stream::{FuturesUnordered, Stream, StreamExt as _};
use pin_project_lite::pin_project;

use crate::patience;

/// Calls a guarded function for each item of a stream.
pub trait CallEach: Stream + Sized {
    /// Yields what `call` answers for each item, with at most `most` calls at once.
    ///
    /// Answers come as calls end, not in the order of the items.
    ///
    /// An item is pulled when there is room: fewer than `most` calls are under way, and none of them waits for
    /// a place in a bulkhead or a permit of a rate limit, be it its first or a later one. There the calls, and
    /// guarded functions that they call, wait as long as it takes instead of being refused, but no longer than
    /// to their deadline. So at most `most` items are held, and the source is asked no faster than answers are
    /// taken. `most` is at least one.
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
            waiting: Arc::default(),
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
        // Calls that wait for a place or a permit.
        waiting: Arc<AtomicUsize>,
        running: FuturesUnordered<Call<C>>,
    }
}

/// A call under way, which tells when it waits.
struct Call<C> {
    inner: Pin<Box<C>>,
    waits: bool,
    waiting: Arc<AtomicUsize>,
}

impl<C> Call<C> {
    fn tell(&mut self, waits: bool) {
        match (self.waits, waits) {
            (false, true) => _ = self.waiting.fetch_add(1, Relaxed),
            (true, false) => _ = self.waiting.fetch_sub(1, Relaxed),
            _ => {}
        }
        self.waits = waits;
    }
}

impl<C: Future> Future for Call<C> {
    type Output = C::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<C::Output> {
        let (polled, waits) = patience::endlessly(|| self.inner.as_mut().poll(cx));
        self.tell(waits && polled.is_pending());
        polled
    }
}

impl<C> Drop for Call<C> {
    fn drop(&mut self) {
        self.tell(false);
    }
}

impl<S, F, C> fmt::Debug for Calls<S, F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls")
            .field("running", &self.running.len())
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

impl<S, F, C> Calls<S, F, C>
where
    S: Stream,
    F: FnMut(S::Item) -> C,
    C: Future,
{
    /// Pulls the next item and lets its call in. Breaks with an answer that was there at once, or with nothing
    /// when a call waits, there are enough, or the source has no item now.
    fn let_in(self: Pin<&mut Self>, cx: &mut Context<'_>) -> ControlFlow<Option<C::Output>> {
        let this = self.project();
        if *this.is_over || this.running.len() >= *this.most || this.waiting.load(Relaxed) > 0 {
            return ControlFlow::Break(None);
        }
        match this.source.poll_next(cx) {
            Poll::Ready(Some(item)) => {
                let inner = Box::pin((this.call)(item));
                let mut call = Call { inner, waits: false, waiting: Arc::clone(this.waiting) };
                if let Poll::Ready(answer) = Pin::new(&mut call).poll(cx) {
                    return ControlFlow::Break(Some(answer));
                }
                this.running.push(call);
            }
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
        loop {
            match self.as_mut().let_in(cx) {
                ControlFlow::Continue(()) => continue,
                ControlFlow::Break(None) => {}
                ControlFlow::Break(answer) => return Poll::Ready(answer),
            }
            let this = self.as_mut().project();
            let waited = this.waiting.load(Relaxed) > 0;
            match this.running.poll_next_unpin(cx) {
                Poll::Ready(None) if !*this.is_over => return Poll::Pending,
                // Whoever waited does so no more, and nobody else says that the next may be let in.
                Poll::Pending if waited && this.waiting.load(Relaxed) == 0 => {}
                polled => return polled,
            }
        }
    }
}

//! A call or an attempt while it is watched.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::watching::Watching;
use super::{Ending, Station};
use crate::level::Judge;
use crate::registry::Record;

/// What is watched.
pub trait Watch {
    /// Begins, if anybody wants to know.
    #[doc(hidden)]
    fn begin(station: &'static Station) -> Option<Watching>;
}

/// A call of a guarded function.
#[derive(Debug)]
pub struct Call;

impl Watch for Call {
    #[inline]
    fn begin(station: &'static Station) -> Option<Watching> {
        Watching::call(station)
    }
}

/// A run of its body.
#[cfg(feature = "trace")]
#[derive(Debug)]
pub struct Attempt;

#[cfg(feature = "trace")]
impl Watch for Attempt {
    #[inline]
    fn begin(station: &'static Station) -> Option<Watching> {
        Watching::attempt(station)
    }
}

pin_project! {
    /// A call or an attempt that may be watched.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Watched<F, W, C> {
        #[pin]
        inner: Option<F>,
        station: &'static Station,
        begun: bool,
        // Still so when the call is dropped, it has panicked.
        polling: bool,
        watching: Option<Watching>,
        kind: PhantomData<(W, C)>,
    }

    impl<F, W, C> PinnedDrop for Watched<F, W, C> {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(watching) = this.watching.take() {
                watching.within(|| this.inner.set(None));
                watching.end(this.station, Ending::cut_short(*this.polling));
            }
        }
    }
}

impl<F, W, C> Watched<F, W, C> {
    #[inline]
    fn new(station: &'static Station, inner: F) -> Self {
        let (inner, watching, kind) = (Some(inner), None, PhantomData);
        Self { inner, station, begun: false, polling: false, watching, kind }
    }
}

impl<F, W, C> Future for Watched<F, W, C>
where
    F: Future,
    W: Watch,
    C: Judge<F::Output>,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if !std::mem::replace(this.begun, true) {
            *this.watching = W::begin(this.station);
        }
        let Some(watching) = this.watching else { return poll_there(this.inner, cx) };
        *this.polling = true;
        let polled = watching.within(|| {
            let polled = poll_there(this.inner.as_mut(), cx);
            if polled.is_ready() {
                // What is left of the body belongs to it: a timeout leaves it where it stood.
                this.inner.set(None);
            }
            polled
        });
        if let Poll::Ready(out) = &polled {
            let ending = Ending::of(C::cause(out).as_ref());
            if let Some(watching) = this.watching.take() {
                watching.end(this.station, ending);
            }
        }
        *this.polling = false;
        polled
    }
}

fn poll_there<F: Future>(inner: Pin<&mut Option<F>>, cx: &mut Context<'_>) -> Poll<F::Output> {
    inner.as_pin_mut().map_or(Poll::Pending, |inner| inner.poll(cx))
}

/// The whole call of an annotated function.
#[inline]
pub fn watch<const N: usize, F, C>(function: &'static Record<N>, inner: F, _: C) -> Watched<F, Call, C> {
    Watched::new(function.station(), inner)
}

/// One run of its body.
#[cfg(feature = "trace")]
#[inline]
pub fn watch_attempt<const N: usize, F, C>(
    function: &'static Record<N>,
    inner: F,
    _: C,
) -> Watched<F, Attempt, C> {
    Watched::new(function.station(), inner)
}

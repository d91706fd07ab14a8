//! A call or an attempt while it is watched.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::watching::Watching;
use super::{Ending, Station};
use crate::level::Judge;
use crate::record::Record;

/// What is watched.
pub trait Watch {
    /// Begins, and says whether anybody wants to know.
    fn begin(watching: &mut Watching, station: &'static Station) -> bool;
}

/// A call of a guarded function.
#[derive(Debug)]
pub struct Call;

impl Watch for Call {
    #[inline]
    fn begin(watching: &mut Watching, station: &'static Station) -> bool {
        watching.call(station)
    }
}

/// A run of its body.
#[cfg(feature = "trace")]
#[derive(Debug)]
pub struct Attempt;

#[cfg(feature = "trace")]
impl Watch for Attempt {
    #[inline]
    fn begin(watching: &mut Watching, station: &'static Station) -> bool {
        watching.attempt(station)
    }
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Fresh,
    Unwatched,
    /// Still so when the call is dropped, it has panicked.
    Polling,
    Waiting,
    Over,
}

pin_project! {
    /// A call or an attempt that may be watched.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Watched<F, W, C> {
        #[pin]
        inner: Option<F>,
        station: &'static Station,
        watching: Watching,
        stage: Stage,
        kind: PhantomData<(W, C)>,
    }

    impl<F, W, C> PinnedDrop for Watched<F, W, C> {
        #[inline]
        fn drop(this: Pin<&mut Self>) {
            if let Stage::Polling | Stage::Waiting = this.stage {
                let mut this = this.project();
                this.watching.within(|| this.inner.set(None));
                let panicked = matches!(this.stage, Stage::Polling);
                this.watching.end(this.station, Ending::cut_short(panicked));
            }
        }
    }
}

impl<F, W, C> Watched<F, W, C> {
    #[inline]
    fn new(station: &'static Station, inner: F) -> Self {
        let (watching, stage) = (Watching::default(), Stage::Fresh);
        Self { inner: Some(inner), station, watching, stage, kind: PhantomData }
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
        if let Stage::Fresh = this.stage {
            let watched = W::begin(this.watching, this.station);
            *this.stage = if watched { Stage::Waiting } else { Stage::Unwatched };
        }
        if let Stage::Unwatched = this.stage {
            return poll_there(this.inner, cx);
        }
        *this.stage = Stage::Polling;
        let polled = this.watching.within(|| {
            let polled = poll_there(this.inner.as_mut(), cx);
            if polled.is_ready() {
                // What is left of the body belongs to it: a timeout leaves it where it stood.
                this.inner.set(None);
            }
            polled
        });
        if let Poll::Ready(out) = &polled {
            let ending = Ending::of(C::cause(out).as_ref());
            this.watching.end(this.station, ending);
        }
        *this.stage = if polled.is_ready() { Stage::Over } else { Stage::Waiting };
        polled
    }
}

#[inline]
fn poll_there<F: Future>(inner: Pin<&mut Option<F>>, cx: &mut Context<'_>) -> Poll<F::Output> {
    inner.as_pin_mut().map_or(Poll::Pending, |inner| inner.poll(cx))
}

/// Where a function is watched. It is found before the call is made, which then is made where it stays.
#[inline]
#[must_use]
pub fn station<S>(function: &'static Record<S>) -> &'static Station {
    function.station()
}

/// The whole call of an annotated function.
#[inline]
pub fn watch<F, C>(station: &'static Station, inner: F, _: C) -> Watched<F, Call, C> {
    Watched::new(station, inner)
}

/// One run of its body.
#[cfg(feature = "trace")]
#[inline]
pub fn watch_attempt<F, C>(station: &'static Station, inner: F, _: C) -> Watched<F, Attempt, C> {
    Watched::new(station, inner)
}

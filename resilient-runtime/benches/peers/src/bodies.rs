//! What is guarded: the same for every crate, and opaque, so that a guard cannot be optimized away.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;

use resilient_runtime::{Class, Classify, Rejected};

pub type Answer = Result<u64, Failure>;

/// A code. With it an answer fits two registers: moving it would drown what it is moved through.
#[derive(Clone, Debug)]
pub struct Failure(u64);

impl Failure {
    pub const DOWN: Self = Self(503);
    const REFUSED: Self = Self(429);
}

impl Classify for Failure {
    fn classify(&self) -> Class {
        if self.0 == Self::DOWN.0 { Class::Transient } else { Class::Permanent }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Error for Failure {}

impl From<Rejected> for Failure {
    fn from(_: Rejected) -> Self {
        Self::REFUSED
    }
}

#[inline(never)]
fn answer(n: u64, bad: bool) -> Answer {
    if black_box(bad) { Err(Failure::DOWN) } else { Ok(n) }
}

pub async fn work(n: u64) -> Answer {
    answer(n, false)
}

/// An error of one byte, with which no answer travels in registers: it is written byte by byte and copied
/// at a stretch, and a processor has to wait for the bytes.
#[derive(Clone, Debug, Classify)]
pub enum Short {
    #[transient]
    Down,
    #[permanent]
    Refused,
}

impl From<Rejected> for Short {
    fn from(_: Rejected) -> Self {
        Self::Refused
    }
}

#[inline(never)]
fn short_answer(n: u64, bad: bool) -> Result<u64, Short> {
    if black_box(bad) { Err(Short::Down) } else { Ok(n) }
}

pub async fn short(n: u64) -> Result<u64, Short> {
    short_answer(n, false)
}

pub async fn half(n: u64) -> Answer {
    answer(n, n % 2 == 1)
}

pub async fn down(n: u64) -> Answer {
    answer(n, true)
}

/// Fails each time it is asked first, for one thread at a time.
pub async fn second_time(n: u64) -> Answer {
    static TURN: AtomicU64 = AtomicU64::new(0);
    let turn = TURN.load(Relaxed);
    TURN.store(turn + 1, Relaxed);
    answer(n, turn.is_multiple_of(2))
}

/// Pends once, and asks at once to be polled again.
pub async fn yields(n: u64) -> Answer {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    answer(n, false)
}

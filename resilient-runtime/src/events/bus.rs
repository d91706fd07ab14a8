//! Where the events of one registry go: to the log, into memory, to subscribers.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use tracing::Level;
use tracing::level_filters::LevelFilter;

use super::diary::Diaries;
use super::settings::{Settings, Table};
use super::subscription::Channel;
use super::word::Word;
use super::{Event, EventKind};
use crate::clock;

/// Which policy an event is of, and which of its keys.
#[derive(Clone, Copy)]
struct Of<'a> {
    stem: &'static str,
    policy: &'static str,
    key: Option<&'a Arc<str>>,
}

/// Where the events of one registry go.
pub(crate) struct Bus {
    table: Table,
    numbers: AtomicU64,
    pub(super) diaries: Diaries,
    listeners: AtomicUsize,
    channel: OnceLock<Channel>,
    #[cfg(feature = "test-util")]
    pub(crate) recorders: std::sync::Mutex<Vec<std::sync::Weak<crate::test_util::Tape>>>,
}

impl Bus {
    pub(crate) fn new() -> Self {
        Self {
            table: Table::new(),
            numbers: AtomicU64::new(0),
            diaries: Diaries::new(),
            listeners: AtomicUsize::new(0),
            channel: OnceLock::new(),
            #[cfg(feature = "test-util")]
            recorders: std::sync::Mutex::default(),
        }
    }

    pub(crate) fn apply(&self, settings: &Settings) {
        self.table.apply(settings);
        self.diaries.set_most(settings.most());
    }

    /// Raises an event that is made already.
    pub(crate) fn emit(
        &'static self,
        stem: &'static str,
        policy: &'static str,
        key: Option<&Arc<str>>,
        kind: &EventKind,
    ) {
        self.raise(stem, policy, key, || kind.clone());
    }

    /// Raises an event. None is made when nobody reads it, listens, or is to remember: where only its word is
    /// asked for, `kind` is a constant to the optimizer.
    #[inline]
    pub(crate) fn raise(
        &'static self,
        stem: &'static str,
        policy: &'static str,
        key: Option<&Arc<str>>,
        kind: impl Fn() -> EventKind,
    ) {
        let of = || Of { stem, policy, key };
        let told = self.table.of(kind().word());
        if let Some(level) = told.level()
            && is_read(level)
        {
            self.log(level, of(), &kind());
        }
        let (remembered, heard) = (told.remembered(), self.listeners.load(Relaxed) > 0);
        if remembered || heard {
            self.tell(of(), kind(), remembered, heard);
        }
    }

    /// Whether a refusal's key is worth a copy, which a keyed call makes before it is refused. Unlike for
    /// [`is_read`], a line that only the crate `log` may get is not: who has neither would pay for each call.
    pub(crate) fn hears_of_refusals(&self) -> bool {
        let told = self.table.of(Word::Rejected);
        let logged = told.level().is_some_and(|level| level <= LevelFilter::current());
        logged || told.remembered() || self.listeners.load(Relaxed) > 0
    }

    #[cold]
    fn tell(&'static self, of: Of<'_>, kind: EventKind, remembered: bool, heard: bool) {
        let Of { stem, policy, key } = of;
        let mut event = Event { seq: 0, stem, policy, key: key.cloned(), at: clock::now(), kind };
        let number = || self.numbers.fetch_add(1, Relaxed) + 1;
        if !(remembered && self.diaries.enter(&mut event, number)) {
            if !heard {
                return;
            }
            event.seq = number();
        }
        #[cfg(feature = "test-util")]
        crate::test_util::record_on(self, &event);
        if let Some(channel) = self.channel.get() {
            // Fails only when the last subscriber has just left.
            let _ = channel.send(event);
        }
    }

    #[cold]
    fn log(&self, level: Level, of: Of<'_>, kind: &EventKind) {
        if std::thread::panicking() {
            self.log_unwinding(level, of, kind);
        } else {
            self.write(level, of, kind);
        }
    }

    /// A call that panics is counted while it unwinds, and a panic that left us then would end the process.
    #[cold]
    #[inline(never)]
    fn log_unwinding(&self, level: Level, of: Of<'_>, kind: &EventKind) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.write(level, of, kind))) {
            std::mem::forget(payload);
        }
    }

    #[inline]
    fn write(&self, level: Level, of: Of<'_>, kind: &EventKind) {
        let word = kind.word();
        if level > Level::WARN || !word.comes_with_calls() {
            return log(level, of, kind, None);
        }
        // Nobody is told how many lines were left out that nobody would have read.
        let read = match level {
            Level::ERROR => tracing::enabled!(target: "resilient", Level::ERROR),
            _ => tracing::enabled!(target: "resilient", Level::WARN),
        };
        if read && let Some(suppressed) = self.diaries.may_warn(of.stem, of.policy, word) {
            log(level, of, kind, (suppressed > 0).then_some(suppressed));
        }
    }

    pub(super) fn channel(&self, new: impl FnOnce() -> Channel) -> &Channel {
        self.channel.get_or_init(new)
    }

    pub(crate) fn listen(&self) {
        self.listeners.fetch_add(1, Relaxed);
    }

    pub(crate) fn unlisten(&self) {
        self.listeners.fetch_sub(1, Relaxed);
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("listeners", &self.listeners).finish_non_exhaustive()
    }
}

/// Whether a line may have a reader. Where `tracing` has none, it may still pass lines on to the crate `log`.
#[inline]
fn is_read(level: Level) -> bool {
    let most = LevelFilter::current();
    level <= most || most == LevelFilter::OFF
}

fn log(level: Level, of: Of<'_>, kind: &EventKind, suppressed: Option<u64>) {
    let Of { stem, policy, key } = of;
    macro_rules! at {
        ($level:expr) => {
            tracing::event!(
                target: "resilient",
                $level,
                stem,
                policy,
                key = key.map(|key| &**key),
                event = kind.as_str(),
                suppressed,
                "{stem} `{policy}`: {kind}"
            )
        };
    }
    match level {
        Level::ERROR => at!(Level::ERROR),
        Level::WARN => at!(Level::WARN),
        Level::INFO => at!(Level::INFO),
        Level::DEBUG => at!(Level::DEBUG),
        Level::TRACE => at!(Level::TRACE),
    }
}

//! What may be said about events at start-up, and what is in force.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

#[cfg(feature = "config")]
use resilient_settings::intern_outside;
use resilient_settings::stem::general;
use resilient_settings::{Value, intern};
use tracing::Level;

use super::word::Word;
use crate::configure::{ConfigFault, Configure, Origin};
use crate::names::nearest;

/// Events remembered of each policy.
pub(super) const DEFAULT_MOST: usize = 100;

/// Of each policy. More belongs into a log.
const LONGEST: u32 = 10_000;

/// What is said about events: the part of a configuration that belongs to no policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) levels: Vec<(&'static str, Option<Level>, Origin)>,
    remembered: Vec<(&'static str, bool, Origin)>,
    recent: Option<(u32, Origin)>,
    #[cfg(feature = "config")]
    from_files: usize,
}

impl Configure {
    /// Logs an event at `level`, or not at all.
    ///
    /// `event` is its word, as [`EventKind::as_str`](crate::EventKind::as_str) gives it and as the log has it in
    /// the field `event`. What comes with calls is given at most once in ten seconds for each policy, if it is
    /// logged at `WARN` or `ERROR`; the field `suppressed` of the next line tells how many were left out. A
    /// change of state is always logged.
    ///
    /// **Default:** `opened`, `forced_open`, `overload_began` and `health_down` at `WARN`, as `exhausted` and
    /// `budget` of a retry; other changes of state at `INFO`; all else at `DEBUG`.
    ///
    /// ```
    /// use resilient_runtime::{Level, configure};
    ///
    /// # fn main() -> Result<(), resilient_runtime::ConfigError> {
    /// configure().log("opened", Level::ERROR).log("exhausted", None).install()?;
    ///
    /// let error = configure().log("opend", Level::ERROR).install().unwrap_err();
    /// assert!(error.to_string().contains("did you mean `opened`?"));
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn log(mut self, event: &str, level: impl Into<Option<Level>>) -> Self {
        self.layers.events.levels.push((intern(event), level.into(), Origin::code()));
        self
    }

    /// Says whether an event is remembered among the [last of its policy](crate::Registry::recent).
    ///
    /// Each one that is takes a lock, which all calls of the policy share.
    #[track_caller]
    pub fn remember(mut self, event: &str, remembered: bool) -> Self {
        self.layers.events.remembered.push((intern(event), remembered, Origin::code()));
        self
    }

    /// Events of each policy that are [remembered](crate::Registry::recent). **Default: 100.**
    ///
    /// Zero switches it off; 10 000 is the most.
    #[track_caller]
    pub fn recent(mut self, events: u32) -> Self {
        self.layers.events.recent = Some((events, Origin::code()));
        self
    }
}

impl Settings {
    pub(super) fn most(&self) -> usize {
        self.recent.as_ref().map_or(DEFAULT_MOST, |(recent, _)| *recent as usize)
    }

    /// Puts in what a file says of events, with their levels as words: after what code said before it.
    #[cfg(feature = "config")]
    pub(crate) fn insert_levels<'a>(
        &mut self,
        at: usize,
        levels: impl Iterator<Item = (&'a str, &'a str, Origin)>,
    ) {
        let levels = levels.map(|(event, level, origin)| {
            (intern_outside(event).unwrap_or_default(), level.parse().ok(), origin)
        });
        // What an earlier file said stands in between.
        let at = self.levels.len().min(at + self.from_files);
        let before = self.levels.len();
        self.levels.splice(at..at, levels);
        self.from_files += self.levels.len() - before;
    }

    /// What each event's level is set to, if it is, and who said so: of two that name one event, the later.
    pub(crate) fn by_event(&self) -> BTreeMap<&'static str, (Value, &Origin)> {
        let levels = self.levels.iter();
        levels.map(|(event, level, origin)| (*event, (Value::Word(word_for(*level)), origin))).collect()
    }

    /// What is wrong with them.
    pub(crate) fn faults(&self) -> Vec<ConfigFault> {
        let levels = self.levels.iter().map(|(event, _, origin)| (general::LOG, *event, origin));
        let remembered = self.remembered.iter().map(|(event, _, origin)| ("remember", *event, origin));
        let unknown = levels.chain(remembered).filter(|(_, event, _)| Word::called(event).next().is_none());
        let fault = |(key, event, origin): (&str, &str, &Origin)| {
            ConfigFault::new([general::TABLE.name, key, event], no_event(event), origin.clone())
        };
        let mut faults: Vec<_> = unknown.map(fault).collect();
        if let Some((recent, origin)) = self.recent.as_ref().filter(|(recent, _)| *recent > LONGEST) {
            let message = format!("{recent} is more than {LONGEST}");
            faults.push(ConfigFault::new([general::TABLE.name, "recent"], message, origin.clone()));
        }
        faults
    }
}

/// The level as a file says it.
const fn word_for(level: Option<Level>) -> &'static str {
    match level {
        Some(Level::ERROR) => "error",
        Some(Level::WARN) => "warn",
        Some(Level::INFO) => "info",
        Some(Level::DEBUG) => "debug",
        Some(Level::TRACE) => "trace",
        None => "off",
    }
}

fn no_event(event: &str) -> String {
    let mut known: Vec<_> = Word::ALL.iter().map(|word| word.text()).collect();
    known.sort_unstable();
    known.dedup();
    match nearest(&event.to_lowercase(), known.iter().copied()) {
        Some(known) => format!("there is no event of this name; did you mean `{known}`?"),
        None => format!("there is no event of this name; there are `{}`", known.join("`, `")),
    }
}

/// How each event is told, in one byte, so that a call that is refused reads little.
pub(super) struct Table([AtomicU8; Word::COUNT]);

/// How an event is told: its level, of which zero is none, and whether it is remembered.
#[derive(Clone, Copy)]
pub(super) struct Told(u8);

const LEVELS: [Level; 5] = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
const LEVEL: u8 = 7;
const REMEMBERED: u8 = 8;

impl Table {
    pub(super) fn new() -> Self {
        let table = Self([const { AtomicU8::new(0) }; Word::COUNT]);
        table.apply(&Settings::default());
        table
    }

    /// The later of two that name one event holds.
    pub(super) fn apply(&self, settings: &Settings) {
        for (&word, told) in Word::ALL.iter().zip(&self.0) {
            let level = settings.levels.iter().rev().find(|(event, ..)| *event == word.text());
            let remembered = settings.remembered.iter().rev().find(|(event, ..)| *event == word.text());
            let level = level.map_or(Some(word.level()), |(_, level, _)| *level);
            let remembered = remembered.map_or(word.remembered(), |(_, remembered, _)| *remembered);
            told.store(Told::new(level, remembered).0, Relaxed);
        }
    }

    #[inline]
    pub(super) fn of(&self, word: Word) -> Told {
        Told(self.0[word as usize].load(Relaxed))
    }
}

impl Told {
    fn new(level: Option<Level>, remembered: bool) -> Self {
        let level = (1..).zip(LEVELS).find(|(_, known)| Some(*known) == level).map_or(0, |(nth, _)| nth);
        Self(if remembered { level | REMEMBERED } else { level })
    }

    #[inline]
    pub(super) fn level(self) -> Option<Level> {
        LEVELS.get(usize::from(self.0 & LEVEL).wrapping_sub(1)).copied()
    }

    #[inline]
    pub(super) const fn remembered(self) -> bool {
        self.0 & REMEMBERED != 0
    }
}

//! Every event in one word: how it is logged, and whether it is remembered, unless the user says otherwise.

use tracing::Level;

/// How often an event may come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nature {
    /// When a policy changes its mind: each is told.
    Change,
    /// With any call: as warnings they are told once in a while.
    Call,
}

/// What is known of a word.
struct Row {
    text: &'static str,
    level: Level,
    nature: Nature,
    remembered: bool,
}

macro_rules! words {
    ($($word:ident $text:literal $level:ident $nature:ident $remembered:literal;)*) => {
        /// An event without its figures.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Word {
            $($word,)*
        }

        impl Word {
            pub(super) const ALL: &[Self] = &[$(Self::$word),*];
            const ROWS: &[Row] = &[$(Row {
                text: $text,
                level: Level::$level,
                nature: Nature::$nature,
                remembered: $remembered,
            }),*];
        }
    };
}

// What comes with every call while something is wrong is not remembered: it would push out what tells when
// that began, and cost calls that have to end at once a lock that they all share. Statistics count them.
words! {
    Rejected "rejected" DEBUG Call false;
    WouldReject "would_reject" DEBUG Call false;
    WouldChangeState "would_change_state" INFO Change true;
    Closed "closed" INFO Change true;
    Opened "opened" WARN Change true;
    HalfOpened "half_opened" INFO Change true;
    ForcedOpen "forced_open" WARN Change true;
    Disabled "disabled" INFO Change true;
    Observing "observing" INFO Change true;
    OverloadBegan "overload_began" WARN Change true;
    OverloadEnded "overload_ended" INFO Change true;
    HealthUp "health_up" INFO Change true;
    HealthDown "health_down" WARN Change true;
    HealthUnknown "health_unknown" INFO Change true;
    TimedOut "timed_out" DEBUG Call true;
    WouldTimeOut "would_time_out" DEBUG Call true;
    FellBack "fell_back" DEBUG Call false;
    ServedStale "served_stale" DEBUG Call false;
    ConfigLoaded "loaded" INFO Change true;
    ConfigReloaded "reloaded" INFO Change true;
    ConfigRefused "refused" ERROR Change true;
    HandedOver "handed_over" DEBUG Call true;
    Retrying "retrying" DEBUG Call false;
    Nested "nested" DEBUG Call true;
    Hedging "hedging" DEBUG Call false;
    HedgeWon "hedge_won" DEBUG Call false;
    // A hedge is an extra: that nobody pays for it is no failure yet.
    HedgeBudget "budget" DEBUG Call true;
    Exhausted "exhausted" WARN Call true;
    Budget "budget" WARN Call true;
    Deadline "deadline" DEBUG Call true;
    NotRetryable "not_retryable" DEBUG Call false;
    RetryAfter "retry_after" DEBUG Call false;
    Once "once" DEBUG Call true;
}

impl Word {
    pub(super) const COUNT: usize = Self::ALL.len();

    const fn row(self) -> &'static Row {
        &Self::ROWS[self as usize]
    }

    pub(super) const fn text(self) -> &'static str {
        self.row().text
    }

    pub(super) const fn level(self) -> Level {
        self.row().level
    }

    pub(super) const fn remembered(self) -> bool {
        self.row().remembered
    }

    pub(super) fn comes_with_calls(self) -> bool {
        self.row().nature == Nature::Call
    }

    /// All that one text stands for.
    pub(super) fn called(text: &str) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |word| word.text() == text)
    }
}

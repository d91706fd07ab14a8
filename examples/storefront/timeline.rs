//! What happens, second by second, for a person to read.

use std::time::Duration;

use resilient_runtime::{CircuitBreaker, CircuitState, Event, EventKind, Snapshot, Subscription, registry};
use tokio::time::{Instant, interval_at};

use crate::load::{Log, Sample, percentile};
use crate::paint::{Color, Paint};
use crate::service::{Scene, Script};
use crate::shop::BREAKER;

/// Counted by all policies since the start.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    retries: u64,
    rejected: u64,
    fallbacks: u64,
}

impl Totals {
    fn now() -> Self {
        let mut totals = Self::default();
        for policy in registry().snapshots() {
            match policy {
                Snapshot::Retry(retry) => totals.retries += retry.retries,
                Snapshot::CircuitBreaker(breaker) => totals.rejected += breaker.rejected,
                Snapshot::Fallback(fallback) => totals.fallbacks += fallback.served,
                _ => {}
            }
        }
        totals
    }
}

pub(crate) struct Timeline {
    pub(crate) script: Script,
    pub(crate) paint: Paint,
    pub(crate) log: Log,
    pub(crate) events: Subscription,
}

impl Timeline {
    /// Prints until the script ends, and says which states the breaker went through.
    pub(crate) async fn print(mut self) -> Vec<CircuitState> {
        let heading = format!(
            "{:>5}  {:<18}  {:<9} {:>5} {:>7} {:>8} {:>9} {:>7} {:>7}",
            "", "payment service", "breaker", "calls", "retries", "rejected", "fallbacks", "p50", "p99"
        );
        println!("{}", self.paint.dim(&heading));
        let second = Duration::from_secs(1);
        let mut seconds = interval_at(self.script.began + second, second);
        let (mut seen, mut before, mut states) = (0, Totals::default(), Vec::new());
        let mut now = self.script.began;
        while now < self.script.ends() {
            tokio::select! {
                end = seconds.tick() => {
                    let samples = self.log.since(seen);
                    let totals = Totals::now();
                    self.row(end, &samples, before, totals);
                    (now, seen, before) = (end, seen + samples.len(), totals);
                }
                Ok(event) = self.events.recv() => states.extend(self.transition(&event)),
            }
        }
        states
    }

    fn row(&self, end: Instant, samples: &[Sample], before: Totals, after: Totals) {
        // A row tells of the second that ends with it.
        let scene = self.script.scene_at(end - Duration::from_millis(500));
        let state = registry().circuit_breaker(BREAKER).map(CircuitBreaker::state);
        let time = |share| percentile(samples, share).map_or_else(|| "-".to_owned(), millis);
        println!(
            "{:>4}s  {}  {} {:>5} {:>7} {:>8} {:>9} {:>7} {:>7}",
            (end - self.script.began).as_secs(),
            self.paint.color(scene_color(scene), &format!("{:<18}", scene.describe())),
            state.map_or_else(String::new, |state| {
                self.paint.color(state_color(state), &format!("{:<9}", state.as_str()))
            }),
            samples.len(),
            after.retries - before.retries,
            after.rejected - before.rejected,
            after.fallbacks - before.fallbacks,
            time(0.5),
            time(0.99),
        );
    }

    /// Prints a change of the breaker's state, and gives the new one.
    fn transition(&self, event: &Event) -> Option<CircuitState> {
        let EventKind::StateChanged { from, to, cause, failures, calls, .. } = event.kind else {
            return None;
        };
        let at = (event.at - self.script.began).as_secs_f64();
        let figures = if calls > 0 { format!(", {failures} of {calls} failed") } else { String::new() };
        let text = format!("{at:>7.2}s  {}: {from} -> {to} ({cause}{figures})", event.policy);
        println!("{}", self.paint.color(state_color(to), &text));
        Some(to)
    }
}

/// A time as a person reads it.
pub(crate) fn millis(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

const fn scene_color(scene: Scene) -> Color {
    match scene {
        Scene::Healthy => Color::Green,
        Scene::Slow | Scene::Recovering => Color::Yellow,
        Scene::Failing | Scene::Down => Color::Red,
    }
}

const fn state_color(state: CircuitState) -> Color {
    match state {
        CircuitState::Closed => Color::Green,
        CircuitState::HalfOpen => Color::Yellow,
        _ => Color::Red,
    }
}

//! What the policies were worth, and whether they kept their promises.

use std::time::Duration;

use resilient_runtime::CircuitState;

use crate::load::{Sample, percentile};
use crate::paint::{Color, Paint};
use crate::service::{PaymentService, Script};
use crate::shop::Answer;
use crate::timeline::millis;

/// No customer of the guarded shop waits longer, though calls hang for longer than that.
const PATIENCE: Duration = Duration::from_secs(2);

/// One of the two shops, after its last call.
pub(crate) struct Side<'a> {
    pub(crate) service: &'a PaymentService,
    pub(crate) samples: Vec<Sample>,
    /// Whether every call came to an end.
    pub(crate) ended: bool,
}

impl Side<'_> {
    fn count(&self, which: impl Fn(&Sample) -> bool) -> usize {
        self.samples.iter().filter(|sample| which(sample)).count()
    }

    fn slowest(&self) -> Duration {
        self.samples.iter().map(|sample| sample.took).max().unwrap_or_default()
    }
}

pub(crate) fn compare(paint: Paint, guarded: &Side<'_>, bare: &Side<'_>) {
    let row = |what: &str, value: fn(&Side<'_>) -> String| {
        println!("{what:<42} {:>10} {:>12}", value(guarded), value(bare));
    };
    let heading = format!("{:<42} {:>10} {:>12}", "the same load", "guarded", "unprotected");
    println!("\n{}", paint.bold(&heading));
    row("calls", |side| side.samples.len().to_string());
    row("answered", |side| side.count(|sample| sample.answer.is_some()).to_string());
    row("  from the cache, or queued", |side| {
        side.count(|sample| matches!(sample.answer, Some(Answer::Cached(_) | Answer::Queued))).to_string()
    });
    row("failed", |side| side.count(|sample| sample.answer.is_none()).to_string());
    row("p99", |side| percentile(&side.samples, 0.99).map_or_else(String::new, millis));
    row("slowest", |side| millis(side.slowest()));
    row("calls that reached the service in trouble", |side| side.service.reached_in_trouble().to_string());
}

/// Says what was promised and what was kept; whether all was.
pub(crate) fn judge(paint: Paint, script: Script, guarded: &Side<'_>, states: &[CircuitState]) -> bool {
    let opened = states.iter().position(|state| *state == CircuitState::Open);
    let closed = states.iter().rposition(|state| *state == CircuitState::Closed);
    let in_trouble: Vec<_> =
        guarded.samples.iter().filter(|sample| script.scene_at(sample.began).is_trouble()).collect();
    let answered = in_trouble.iter().filter(|sample| sample.answer.is_some()).count();
    let kept = [
        (
            guarded.ended && guarded.slowest() < PATIENCE,
            format!("no call hung: the slowest took {}", millis(guarded.slowest())),
        ),
        (
            opened.is_some_and(|opened| closed > Some(opened))
                && states.last() == Some(&CircuitState::Closed),
            "the breaker opened in trouble, and closed when it was over".to_owned(),
        ),
        (
            answered * 100 >= in_trouble.len() * 99 && answered > 0,
            format!("customers got answers in trouble: {answered} of {}", in_trouble.len()),
        ),
    ];
    println!();
    for (kept, promise) in &kept {
        let (color, word) = if *kept { (Color::Green, "kept") } else { (Color::Red, "BROKEN") };
        println!("{}  {promise}", paint.color(color, &format!("{word:<6}")));
    }
    kept.iter().all(|(kept, _)| *kept)
}

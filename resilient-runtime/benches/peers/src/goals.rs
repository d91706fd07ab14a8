//! What was promised, and whether it holds.

use crate::breakers::{CLOSED, HALF, MARKED, OPEN, TIMED};
use crate::bulkheads::{BY_HAND, FIVE, ROOMY, TRIES};
use crate::limits::{CLOCKS, GOVERNOR, PLENTY, QUANTA};
use crate::retries::{FIRST, SECOND};
use crate::stacks::{COVERED, STACK};
use crate::tables::Run;
use crate::timeouts::{PENDS, READY};
use crate::{DIRECT, crowds};

const CONSECUTIVE: &str = "ours, consecutive";
const COUNT: &str = "ours, count window";
/// More than this, and what should be the same is not.
const SAME: f64 = 1.1;

#[derive(Clone, Copy)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

use Bound::{AtLeast, AtMost};

struct Figure {
    of: String,
    value: f64,
    unit: &'static str,
}

/// Ours, alone or as a ratio to another.
struct Goal {
    path: String,
    ours: Figure,
    other: Option<Figure>,
    bound: Bound,
}

impl Run {
    fn of(&self, path: &str, name: &str) -> &crate::harness::Measured {
        let found = self.measured.iter().find(|one| one.path == path && one.name == name);
        found.expect("a path and a case that are measured")
    }

    fn min(&self, path: &str, name: &str) -> Figure {
        Figure { of: name.to_owned(), value: self.of(path, name).min, unit: "ns" }
    }

    fn two(&self, path: &str, name: &str) -> Figure {
        let value = self.of(path, name).two.expect("measured with two threads").0;
        Figure { of: format!("{name}, two threads"), value, unit: "Mops/s" }
    }

    fn peers(&self, path: &str) -> impl Iterator<Item = &'static str> {
        let names = self.measured.iter().filter(move |one| one.path == path).map(|one| one.name);
        names.filter(|name| !name.starts_with("ours") && !name.starts_with("direct"))
    }

    fn best(&self, path: &str) -> Figure {
        let all = self.peers(path).map(|name| self.min(path, name));
        all.min_by(|a, b| a.value.total_cmp(&b.value)).expect("a peer")
    }

    fn best_two(&self, path: &str) -> Figure {
        let both = |name: &&str| self.of(path, name).two.is_some();
        let all = self.peers(path).filter(both).map(|name| self.two(path, name));
        // On a busy machine a peer may have no batch that counts.
        let measured = all.filter(|figure| !figure.value.is_nan());
        measured.max_by(|a, b| a.value.total_cmp(&b.value)).expect("a peer")
    }

    fn crowd(&self, path: &str, wanted: impl Fn(&str) -> bool) -> Figure {
        let all = self.crowds.iter().filter(|one| one.path == path && wanted(one.name));
        let best = all.max_by(|a, b| a.rate.total_cmp(&b.rate)).expect("a crowd");
        Figure { of: best.name.to_owned(), value: best.rate, unit: "Mops/s" }
    }

    /// governor, if it read the same clock.
    fn governor(&self) -> Figure {
        let clocks = self.min(CLOCKS, "ours").value - self.min(CLOCKS, QUANTA).value;
        let value = self.min(PLENTY, GOVERNOR).value + clocks;
        Figure { of: format!("{GOVERNOR} and the clocks' difference"), value, unit: "ns" }
    }

    /// Nanoseconds over a call without a guard.
    fn added(&self, path: &str, name: &str, bare: &Figure) -> Figure {
        Figure { of: format!("{name}, added"), value: self.of(path, name).min - bare.value, unit: "ns" }
    }
}

fn goal(path: impl Into<String>, ours: Figure, other: Figure, bound: Bound) -> Goal {
    Goal { path: path.into(), ours, other: Some(other), bound }
}

fn breakers(run: &Run) -> Vec<Goal> {
    let mut goals = Vec::new();
    for ours in [CONSECUTIVE, COUNT] {
        goals.push(goal(CLOSED, run.min(CLOSED, ours), run.min(CLOSED, "nobreak"), AtMost(0.25)));
        goals.push(goal(CLOSED, run.min(CLOSED, ours), run.min(CLOSED, "recloser"), AtMost(0.2)));
        goals.push(goal(CLOSED, run.two(CLOSED, ours), run.best_two(CLOSED), AtLeast(8.0)));
        let alone =
            Figure { of: "one thread".to_owned(), value: 1e3 / run.of(CLOSED, ours).median, unit: "Mops/s" };
        goals.push(goal(CLOSED, run.two(CLOSED, ours), alone, AtLeast(1.7)));
    }
    goals.push(goal(MARKED, run.min(MARKED, COUNT), run.min(CLOSED, "nobreak"), AtMost(0.4)));
    for ours in [CONSECUTIVE, COUNT] {
        goals.push(goal(HALF, run.min(HALF, ours), run.min(HALF, "nobreak"), AtMost(0.6)));
        goals.push(goal(HALF, run.two(HALF, ours), run.best_two(HALF), AtLeast(1.25)));
    }
    goals.push(goal(TIMED, run.min(TIMED, "ours"), run.min(TIMED, "seatbelt"), AtMost(0.4)));
    let [few, many] = run.windows[0].1;
    let window = |of: &str, value| Figure { of: of.to_owned(), value, unit: "ns" };
    goals.push(goal(TIMED, window("ours, 100 000 calls", many), window("1 000 calls", few), AtMost(SAME)));
    goals.push(goal(OPEN, run.min(OPEN, "ours"), run.best(OPEN), AtMost(0.9)));
    goals.push(goal(OPEN, run.two(OPEN, "ours"), run.best_two(OPEN), AtLeast(1.5)));
    let crowd = |name| run.crowd(crowds::BREAKER, |of| of == name);
    goals.push(goal(crowds::BREAKER, crowd("ours"), crowd("direct"), AtLeast(0.92)));
    goals
}

fn others(run: &Run) -> Vec<Goal> {
    let direct = run.min(DIRECT, "direct");
    let pends = run.min(PENDS, "direct");
    let crowd = |wanted: fn(&str) -> bool| run.crowd(crowds::TIMEOUT, wanted);
    let parts = [(COVERED, "ours"), (FIRST, "ours"), (CLOSED, CONSECUTIVE), (READY, "ours")];
    let parts = parts.map(|(path, name)| run.added(path, name, &direct).value).iter().sum();
    let parts = Figure { of: "its parts, added".to_owned(), value: parts, unit: "ns" };
    vec![
        goal(FIRST, run.min(FIRST, "ours"), run.min(FIRST, "tower"), AtMost(1.1)),
        goal(FIRST, run.min(FIRST, "ours"), run.min(FIRST, "backon"), AtMost(0.75)),
        goal(SECOND, run.min(SECOND, "ours"), run.min(SECOND, "direct, twice"), AtMost(1.3)),
        goal(READY, run.min(READY, "ours"), run.best(READY), AtMost(0.15)),
        goal(PENDS, run.added(PENDS, "ours", &pends), run.added(PENDS, "tokio", &pends), AtMost(1.0)),
        goal(
            crowds::TIMEOUT,
            crowd(|name| name == "ours"),
            crowd(|name| name != "ours" && name != "direct"),
            AtLeast(1.0),
        ),
        goal(STACK, run.min(STACK, "ours"), run.min(STACK, "by hand: tokio, recloser"), AtMost(0.25)),
        goal(STACK, run.added(STACK, "ours", &direct), parts, AtMost(1.15)),
        goal(STACK, run.two(STACK, "ours"), run.best_two(STACK), AtLeast(3.0)),
        goal(ROOMY, run.min(ROOMY, "ours"), run.min(ROOMY, TRIES), AtMost(0.6)),
        goal(ROOMY, run.two(ROOMY, "ours"), run.two(ROOMY, TRIES), AtLeast(1.8)),
        goal(FIVE, run.min(FIVE, "ours"), run.min(FIVE, BY_HAND), AtMost(0.3)),
        goal(PLENTY, run.min(PLENTY, "ours"), run.governor(), AtMost(1.0)),
        goal(PLENTY, run.two(PLENTY, "ours"), run.two(PLENTY, GOVERNOR), AtLeast(1.2)),
    ]
}

fn bytes(run: &Run) -> Vec<Goal> {
    let alone = |path: String, of: &str, value: f64, unit, most| {
        let ours = Figure { of: of.to_owned(), value, unit };
        Goal { path, ours, other: None, bound: AtMost(most) }
    };
    let mut goals = Vec::new();
    for (&(name, size), most) in run.futures.iter().zip([40.0, 64.0, 160.0, 256.0]) {
        goals.push(alone(
            format!("future of the {name}, over its body's"),
            "ours",
            size as f64,
            "bytes",
            most,
        ));
    }
    let ours = run.measured.iter().filter(|one| one.name.starts_with("ours"));
    let allocations = ours.map(|one| one.allocations).fold(0.0, f64::max);
    goals.push(alone("any path".to_owned(), "ours, at most", allocations, "allocations", 0.0));
    for (breaker, most) in run.breakers.iter().zip([512.0, 512.0, 1280.0]) {
        let used = breaker.after_ten_thousand_calls as f64;
        goals.push(alone(
            "a breaker after 10 000 calls".to_owned(),
            breaker.name,
            used,
            "bytes",
            most + 128.0,
        ));
        let further = breaker.per_further_thread as f64;
        goals.push(alone("each further thread of it".to_owned(), breaker.name, further, "bytes", 128.0));
    }
    goals
}

pub fn print(run: &Run) {
    println!("| path | ours | against | ratio | goal | |\n|---|---:|---:|---:|---:|---|");
    for Goal { path, ours, other, bound } in [breakers(run), others(run), bytes(run)].into_iter().flatten() {
        let shown = |figure: &Figure| {
            let precision = usize::from(figure.value.fract() != 0.0);
            format!("{}: {:.precision$} {}", figure.of, figure.value, figure.unit)
        };
        let ratio = other.as_ref().map_or(ours.value, |other| ours.value / other.value);
        let (limit, met) = match bound {
            AtMost(most) => (format!("≤ {most}"), ratio <= most),
            AtLeast(least) => (format!("≥ {least}"), ratio >= least),
        };
        let (against, shown_ratio) =
            other.as_ref().map_or((String::new(), String::new()), |it| (shown(it), format!("{ratio:.2}")));
        let verdict = if met { "met" } else { "missed" };
        println!("| {path} | {} | {against} | {shown_ratio} | {limit} | {verdict} |", shown(&ours));
    }
}

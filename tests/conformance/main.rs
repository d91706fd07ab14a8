//! Rules of other systems, ported: each test names the rule, each module the system.
//!
//! In a script `S` is a success, `F` a failure, `X` an ignored error, `P` a permanent one; in what
//! came of it `O` stands for a call that an open breaker refused.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod caffeine;
mod defaults;
mod failsafe;
mod finagle;
mod frame;
mod gobreaker;
mod governor;
mod jitter;
mod microprofile;
mod polly;
mod resilience4j;
mod retry_after;
mod under_way;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use resilient_runtime::{
    CircuitBreaker, CircuitState, Class, Classify, Rejected, RetryCause, attempt, circuit_breaker, configure,
    deadline, fallback, inherit, registry, retry, test_util, timeout,
};
use tokio::time::{Instant, advance, sleep};

#[derive(Clone, Debug, PartialEq)]
enum Error {
    Down,
    Declined,
    NotMine,
    Busy(Duration),
    Refused(Rejected),
}

use Error::{Busy, Declined, Down, NotMine};

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        Self::Refused(rejected)
    }
}

impl Classify for Error {
    fn classify(&self) -> Class {
        match self {
            Down => Class::Transient,
            Declined => Class::Permanent,
            NotMine => Class::Ignored,
            Busy(after) => Class::Throttled { after: Some(*after) },
            Self::Refused(rejected) => rejected.classify(),
        }
    }

    fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Refused(rejected) => Some(rejected),
            _ => None,
        }
    }
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn answer(step: char) -> Result<(), Error> {
    match step {
        'F' => Err(Down),
        'X' => Err(NotMine),
        'P' => Err(Declined),
        _ => Ok(()),
    }
}

/// Plays a script against a guarded function, and writes down what came of each call.
async fn play<F>(function: impl Fn(char) -> F, script: &str) -> String
where
    F: Future<Output = Result<(), Error>>,
{
    let mut came = String::new();
    for step in script.chars() {
        came.push(match function(step).await {
            Err(Error::Refused(Rejected::CircuitOpen { .. })) => 'O',
            result if result == answer(step) => step,
            other => panic!("{step} gave {other:?}"),
        });
    }
    came
}

fn breaker(name: &str) -> &'static CircuitBreaker {
    registry().circuit_breaker(name).expect("a function uses it")
}

fn state(name: &str) -> CircuitState {
    breaker(name).state()
}

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
    static WAITS: RefCell<Vec<Duration>> = const { RefCell::new(Vec::new()) };
}

/// How often a body ran since the last question.
fn runs() -> u32 {
    RUNS.take()
}

fn ran() {
    RUNS.set(RUNS.get() + 1);
}

/// A hook that writes the waits down.
fn waits_noted(_: u32, delay: Duration, _: RetryCause<'_, Error>) {
    WAITS.with_borrow_mut(|waits| waits.push(delay));
}

fn waits() -> Vec<Duration> {
    WAITS.take()
}

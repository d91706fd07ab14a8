//! The whole breaker against the naive one: with its counters, its fast paths and tokio's clock.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};

use super::Verdict;
use super::engine::{ABANDONED, Engine, FAILED, IGNORED, PANICKED, REJECTED, SUCCEEDED};
use super::histories::{Subject, agrees, histories};
use super::limits::Limits;
use super::pass::Pass;
use super::ticket::Outcome;
use super::transition::{Control, Figures, Report, Transition};
use crate::clock;
use crate::error::Rejected;
use crate::events::EventKind;
use crate::prop::cases;
use crate::tally::Tally;
use crate::test_util::{self, Recorder};

const ENDS: [usize; 6] = [SUCCEEDED, FAILED, IGNORED, ABANDONED, PANICKED, REJECTED];

thread_local! {
    static RUNTIME: Runtime =
        Builder::new_current_thread().enable_time().start_paused(true).build().expect("no timer is needed");
}

struct Whole {
    engine: Engine,
    events: Recorder,
}

impl Subject for Whole {
    type Pass = Pass;

    fn new(limits: Limits) -> Self {
        Self { engine: Engine::new("whole", None, Arc::new(limits), None), events: test_util::record() }
    }

    fn now(&self) -> u64 {
        clock::tick().nanos()
    }

    fn wait(&mut self, time: u64) {
        let mut passes = std::pin::pin!(tokio::time::advance(Duration::from_nanos(time)));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        while passes.as_mut().poll(&mut cx).is_pending() {}
    }

    fn enter(&mut self) -> Result<Pass, Option<Duration>> {
        self.engine.enter().map_err(|rejected| match rejected {
            Rejected::CircuitOpen { retry_after, .. } => retry_after,
            other => unreachable!("{other:?}"),
        })
    }

    fn leave(&mut self, pass: Pass, outcome: Outcome, _: bool) {
        let verdict = match outcome {
            Outcome::Success => Verdict::Success,
            Outcome::Failure => Verdict::Failure(None),
            Outcome::Ignored => Verdict::Ignored,
            Outcome::Abandoned => Verdict::Abandoned,
            Outcome::Panicked => Verdict::Panicked,
        };
        self.engine.leave(pass, verdict);
    }

    fn control(&mut self, control: Control) {
        self.engine.control(control);
    }

    fn reconfigure(&mut self, limits: Limits) {
        self.engine.reconfigure(Arc::new(limits));
        self.engine.announce();
    }

    fn report(&mut self) -> Report {
        self.engine.report().0
    }

    fn told(&mut self) -> Vec<Transition> {
        let told = self.events.kinds("whole").iter().filter_map(transition).collect();
        self.events.clear();
        told
    }

    fn ended(&self) -> Option<u64> {
        Some(ENDS.iter().map(|&counter| self.engine.count(Tally::total, counter)).sum())
    }
}

fn transition(kind: &EventKind) -> Option<Transition> {
    match *kind {
        EventKind::StateChanged {
            from,
            to,
            cause,
            observed,
            failures,
            calls,
            failure_rate,
            slow_rate,
            open_for,
        } => {
            let figures = Figures { failures, calls, failure_rate, slow_rate, open_for };
            Some(Transition { from, to, cause, observed, figures })
        }
        _ => None,
    }
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn the_breaker_does_what_the_model_does(history in histories()) {
        RUNTIME.with(|runtime| {
            let _entered = runtime.enter();
            agrees::<Whole>(history)
        })?;
    }
}

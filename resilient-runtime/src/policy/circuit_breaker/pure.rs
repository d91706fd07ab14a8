//! The machine alone against the naive breaker, told of fast successes as late as the engine may.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use resilient_settings::nanos;

use super::histories::{Step, Subject, agrees, histories, limits, step};
use super::limits::Limits;
use super::state::Machine;
use super::ticket::{Admission, Outcome, Ticket};
use super::transition::{Control, Report, Transition};
use crate::clock::Tick;
use crate::prop::cases;

struct Pure {
    machine: Machine,
    now: u64,
    untold: u64,
    told: Vec<Transition>,
}

impl Pure {
    fn tick(&self) -> Tick {
        Tick::from_nanos(self.now)
    }

    fn absorb(&mut self) {
        self.machine.absorb(std::mem::take(&mut self.untold));
    }
}

impl Subject for Pure {
    type Pass = Ticket;

    fn new(limits: Limits) -> Self {
        let now = 1_000;
        let machine = Machine::new(Arc::new(limits), Tick::from_nanos(now));
        Self { machine, now, untold: 0, told: Vec::new() }
    }

    fn now(&self) -> u64 {
        self.now
    }

    fn wait(&mut self, time: u64) {
        self.now += time;
    }

    fn enter(&mut self) -> Result<Ticket, Option<Duration>> {
        let (admission, transition) = self.machine.admit(self.tick());
        self.told.extend(transition);
        match admission {
            Admission::Admitted(ticket) => Ok(ticket),
            Admission::Refused { .. } if self.machine.only_observes() => Ok(Ticket::OBSERVED),
            Admission::Refused { retry_after } => Err(retry_after),
        }
    }

    fn leave(&mut self, ticket: Ticket, outcome: Outcome, slow: bool) {
        let turned = self.machine.turns_at().is_some_and(|at| self.now >= at.nanos());
        let quiet = ticket == Ticket::closed(self.machine.generation())
            && self.machine.admits_all()
            && !self.machine.success_matters(true)
            && !turned;
        if outcome == Outcome::Success && !slow && quiet {
            self.untold += 1;
            return;
        }
        self.absorb();
        let tick = self.tick();
        let transition = self.machine.record(ticket, outcome, slow, || tick);
        self.told.extend(transition);
    }

    fn control(&mut self, control: Control) {
        self.absorb();
        let transition = self.machine.control(control, self.tick());
        self.told.extend(transition);
    }

    fn reconfigure(&mut self, limits: Limits) {
        self.absorb();
        let transition = self.machine.reconfigure(Arc::new(limits), self.tick());
        self.told.extend(transition);
    }

    fn report(&mut self) -> Report {
        self.absorb();
        self.machine.report(self.tick())
    }

    fn told(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.told)
    }

    fn ended(&self) -> Option<u64> {
        None
    }
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn the_machine_does_what_the_model_does(history in histories()) {
        agrees::<Pure>(history)?;
    }

    /// Whatever was dropped, came late or jumped: with time, a call passes again.
    #[test]
    fn no_history_wedges(
        limits in limits(false),
        steps in prop::collection::vec((step(false), prop::option::weighted(0.1, 0..u64::MAX)), 0..60),
    ) {
        let mut subject = Pure::new(limits);
        let (mut limits, mut running) = (limits, Vec::new());
        let longest = Duration::from_nanos(60);
        for (step, jump) in steps {
            subject.now = jump.unwrap_or(subject.now);
            match step {
                Step::Wait(time) => subject.now = subject.now.saturating_add(time),
                Step::Enter | Step::Succeed(_) => match subject.enter() {
                    Ok(ticket) => running.push(ticket),
                    Err(wait) => prop_assert!(wait.is_none_or(|wait| wait <= longest)),
                },
                Step::Leave(index, outcome) if !running.is_empty() => {
                    let ticket = running.swap_remove(index.index(running.len()));
                    subject.leave(ticket, outcome, false);
                }
                Step::Leave(..) | Step::Report => {}
                Step::Control(control) => subject.control(control),
                Step::Reconfigure(new) => {
                    limits = new;
                    subject.reconfigure(new);
                }
            }
        }
        subject.now = subject.now.min(u64::MAX / 2);
        subject.control(Control::Resume);
        let _ = subject.enter();
        subject.now += nanos(longest.max(limits.ramp.unwrap_or_default()));
        prop_assert!(subject.enter().is_ok(), "{:?}", subject.machine);
    }
}

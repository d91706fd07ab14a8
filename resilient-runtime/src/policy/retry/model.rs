//! Every decision of a retry against one that is slow and obvious, on paused time in whole milliseconds.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::cell::{Cell, RefCell};
use std::time::Duration;

use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};

use super::{Backoff, Jitter, Retry, RetryCause};
use crate::clock;
use crate::error::Rejected;
use crate::outcome::{Class, Classify};
use crate::policy::Timeout;
use crate::prop::cases;

#[derive(Clone, Debug, PartialEq)]
enum Failure {
    Of(Class),
    Refused(Rejected),
}

use Failure::{Of, Refused};

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Refused(rejected)
    }
}

impl Classify for Failure {
    fn classify(&self) -> Class {
        match self {
            Of(class) => *class,
            Refused(rejected) => rejected.classify(),
        }
    }

    fn rejected(&self) -> Option<&Rejected> {
        match self {
            Of(_) => None,
            Refused(rejected) => Some(rejected),
        }
    }
}

type Answer = Result<(), Failure>;

/// Milliseconds throughout.
#[derive(Clone, Debug)]
struct Call {
    max: u32,
    backoff: Backoff,
    base: u64,
    factor: u32,
    max_delay: u64,
    max_retry_after: u64,
    within: Option<u64>,
    timeout_around: Option<u64>,
    /// How long each attempt takes and what it gives, over and over.
    script: Vec<(u64, Answer)>,
}

/// What came of a call.
#[derive(Debug, PartialEq)]
struct Told {
    attempts: usize,
    waits: Vec<u64>,
    answer: Answer,
    time: u64,
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("not for ever")
}

impl Call {
    fn foretold(&self) -> Told {
        let mut told = Told { attempts: 0, waits: Vec::new(), answer: Ok(()), time: 0 };
        loop {
            let (took, answer) = &self.script[told.attempts % self.script.len()];
            told.attempts += 1;
            if let Some(limit) = self.timeout_around.filter(|limit| told.time + took > *limit) {
                let answer = Err(Refused(Rejected::TimedOut { name: "around", limit: ms(limit) }));
                return Told { answer, time: limit, ..told };
            }
            told.time += took;
            told.answer.clone_from(answer);
            let wait = answer.as_ref().err().and_then(|failure| self.wait(told.attempts, failure));
            let end = [self.within, self.timeout_around].into_iter().flatten().min();
            match wait {
                Some(wait) if end.is_none_or(|end| told.time + wait < end) => {
                    told.waits.push(wait);
                    told.time += wait;
                }
                _ => return told,
            }
        }
    }

    /// Before the next attempt, if there may be one.
    fn wait(&self, attempts: usize, failure: &Failure) -> Option<u64> {
        if attempts >= self.max.max(1) as usize {
            return None;
        }
        let computed = self.computed(attempts).min(self.max_delay);
        match failure {
            Of(Class::Permanent | Class::Ignored) => None,
            Of(Class::Throttled { after: Some(after) }) => {
                let after = millis(*after);
                (after <= self.max_retry_after).then(|| computed.max(after))
            }
            Refused(
                Rejected::CircuitOpen { retry_after, .. } | Rejected::RateLimited { retry_after, .. },
            ) => {
                let after = retry_after.map(millis).filter(|after| *after <= self.max_delay)?;
                Some(after + self.base.min(self.max_delay))
            }
            _ => Some(computed),
        }
    }

    fn computed(&self, attempts: usize) -> u64 {
        let before = attempts - 1;
        let times = match self.backoff {
            Backoff::Fixed => 1,
            Backoff::Linear => attempts as u64,
            Backoff::Fibonacci => (0..before).fold((1, 2), |(a, b), _| (b, a + b)).0,
            _ => (0..before).fold(1, |times, _| times * u64::from(self.factor.max(1))),
        };
        self.base * times
    }

    async fn made(&self) -> Told {
        let (start, attempts, waits) = (clock::now(), Cell::new(0), RefCell::new(Vec::new()));
        let retry = Retry::new()
            .max(self.max)
            .backoff(self.backoff)
            .base(ms(self.base))
            .factor(self.factor.into())
            .max_delay(ms(self.max_delay))
            .max_retry_after(ms(self.max_retry_after))
            .jitter(Jitter::None)
            .budget("none");
        let retry = self.within.map_or(retry, |within| retry.within(ms(within)));
        let noted = |_, wait, _: RetryCause<'_, Failure>| waits.borrow_mut().push(millis(wait));
        let call = retry.on_retry(noted).run(|| {
            let (took, answer) =
                self.script[attempts.replace(attempts.get() + 1) % self.script.len()].clone();
            async move {
                clock::sleep(ms(took)).await;
                answer
            }
        });
        let answer = match self.timeout_around {
            Some(limit) => Timeout::new(ms(limit)).name("around").call(call).await,
            None => call.await,
        };
        Told { attempts: attempts.get(), waits: waits.take(), answer, time: millis(start.elapsed()) }
    }
}

fn answers() -> impl Strategy<Value = Answer> {
    let hint = || prop::option::of(prop::sample::select(vec![0, 1, 50, 1_000, 9_000, 60_000]).prop_map(ms));
    prop_oneof![
        2 => Just(Ok(())),
        8 => Just(Err(Of(Class::Transient))),
        1 => prop::sample::select(vec![Class::Permanent, Class::Ignored, Class::Unknown]).prop_map(|it| Err(Of(it))),
        2 => hint().prop_map(|after| Err(Of(Class::Throttled { after }))),
        2 => hint().prop_map(|retry_after| Err(Refused(Rejected::CircuitOpen { name: "below", retry_after }))),
        2 => hint().prop_map(|retry_after| Err(Refused(Rejected::RateLimited { name: "below", retry_after }))),
        1 => Just(Err(Refused(Rejected::BulkheadFull { name: "below" }))),
        1 => Just(Err(Refused(Rejected::TimedOut { name: "below", limit: ms(1) }))),
    ]
}

fn calls() -> impl Strategy<Value = Call> {
    let shapes = vec![Backoff::Fixed, Backoff::Linear, Backoff::Exponential, Backoff::Fibonacci];
    let grows = (prop::sample::select(shapes), prop::sample::select(vec![0, 1, 10, 100, 5_000]), 0..5_u32);
    let caps = (prop::sample::select(vec![0, 50, 1_000, 10_000]), prop::sample::select(vec![0, 100, 30_000]));
    let ends = || prop::option::of(prop::sample::select(vec![0, 100, 1_000, 1_001, 10_000]));
    let took = prop::sample::select(vec![0, 0, 10, 100, 500]);
    let script = prop::collection::vec((took, answers()), 1..9);
    (0..9_u32, grows, caps, ends(), ends(), script).prop_map(|(max, grows, caps, within, around, script)| {
        let ((backoff, base, factor), (max_delay, max_retry_after)) = (grows, caps);
        Call {
            max,
            backoff,
            base,
            factor,
            max_delay,
            max_retry_after,
            within,
            timeout_around: around,
            script,
        }
    })
}

thread_local! {
    static RUNTIME: Runtime =
        Builder::new_current_thread().enable_time().start_paused(true).build().expect("nothing is in its way");
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn a_retry_decides_as_the_obvious_one_does(call in calls()) {
        let made = RUNTIME.with(|runtime| runtime.block_on(call.made()));
        prop_assert_eq!(made, call.foretold());
    }
}

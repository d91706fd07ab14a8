//! What runs the checks: a task for each.

use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt as _;
use resilient_settings::Written;
use tokio::runtime::Handle;

use super::check::{Check, CheckFailure, HealthCheckSnapshot};
use super::error::HealthError;
use super::probe::{Source, annotated};
use super::{Health, STEM, all, discard, faults};
use crate::configure::{self, ConfigFault, Origin};
use crate::error::Rejected;
use crate::frame::Deadline;
use crate::level::Reply;
use crate::outcome::{Class, Unclassified};
use crate::policy::timeout::call::{Bounded, Terms};
use crate::registry::World;
use crate::timer::Timer;
use crate::{clock, random};

/// The longest wait before the first run of a check, which is to be known within a second unless it is slow.
const LATEST_FIRST: Duration = Duration::from_millis(900);

/// A start that has not been ended.
#[derive(Debug)]
pub(super) struct Running {
    start: u64,
    runtime: Handle,
    /// Not all of its checks have a task yet.
    begins: bool,
}

/// The running health checks, which end when this is dropped.
#[derive(Debug)]
#[must_use = "the checks end when this is dropped; `detach` lets them run as long as the runtime"]
pub struct HealthTasks {
    world: &'static World,
    start: u64,
}

impl Health {
    /// Runs all checks of this program in tasks of the current tokio runtime.
    ///
    /// One run of a check at a time; the next one begins some time after it has ended. The first one begins within
    /// a second, or a tenth of the interval where that is less.
    ///
    /// # Errors
    ///
    /// [`HealthError`] outside of a tokio runtime, when the checks run already, when two of them have one name,
    /// and when a policy names one that nobody has.
    ///
    /// # Panics
    ///
    /// In a runtime without time.
    pub fn start(self) -> Result<HealthTasks, HealthError> {
        let Ok(runtime) = Handle::try_current() else { return Err(HealthError::NoRuntime) };
        let layers = self.0.installed().clone();
        let (merged, _) = configure::merge(self.0, &layers);
        let faults = faults(self.0, &merged, &layers);
        if !faults.is_empty() {
            return Err(HealthError::Faults(faults));
        }
        let start = self.0.checks.next_start();
        let checks = all(self.0);
        {
            let mut running = self.0.checks.running();
            let runs = |it: &Running| it.begins || checks.iter().any(|check| check.is_run_by(it.start));
            if running.as_ref().is_some_and(runs) {
                return Err(HealthError::Running);
            }
            *running = Some(Running { start, runtime: runtime.clone(), begins: true });
        }
        let tasks = HealthTasks { world: self.0, start };
        for check in checks {
            self.launch(check, start, &runtime);
        }
        if let Some(running) = self.0.checks.running().as_mut().filter(|running| running.start == start) {
            running.begins = false;
        }
        Ok(tasks)
    }

    fn launch(self, check: &'static Check, start: u64, runtime: &Handle) {
        let Some(source) = check.source() else { return };
        if !check.claim(start) {
            return;
        }
        let world = self.0;
        let entered = runtime.enter();
        let longest = check.terms().interval / 10;
        let first = Timer::after(longest.min(LATEST_FIRST).mul_f64(random::unit()));
        drop(entered);
        let task = runtime.spawn(keep_checking(Loop { world, check, start }, source, first));
        check.keep(start, task.abort_handle());
    }

    /// Takes in a check made by hand.
    #[track_caller]
    pub(super) fn register(
        self,
        name: &'static str,
        written: &Written,
        source: Source,
    ) -> Result<(), HealthError> {
        let origin = Origin::code();
        let fault = |key: Option<&str>, message: String| {
            ConfigFault::new([STEM.name, name].into_iter().chain(key), message, origin.clone())
        };
        let keys = STEM.keys.iter().enumerate();
        let complaints = keys
            .filter_map(|(index, key)| Some(fault(Some(key.name), key.kind.complain(written.get(index)?)?)));
        let mut faults: Vec<_> = complaints.collect();
        if name.trim().is_empty() {
            faults.push(fault(None, "a check needs a name".into()));
        }
        if !faults.is_empty() {
            return Err(HealthError::Faults(faults));
        }
        let check: &'static Check = self.0.get_or_create(name);
        if let Err(refused) = check.adopt(written, source) {
            drop(refused);
            return Err(HealthError::Faults(vec![fault(
                None,
                "there is a check of this name already".into(),
            )]));
        }
        let running = self.0.checks.running().as_ref().map(|it| (it.start, it.runtime.clone()));
        if let Some((start, runtime)) = running {
            self.launch(check, start, &runtime);
        }
        Ok(())
    }

    /// Takes out a check made by hand and ends its run.
    ///
    /// False if there is none of this name.
    ///
    /// An annotated function stays a check.
    #[expect(clippy::must_use_candidate, reason = "it removes the check, whoever asks")]
    pub fn remove(self, name: &str) -> bool {
        self.0.find::<Check>(name).is_some_and(|check| check.forsake(self.0))
    }

    /// What is known of the check `name`, if there is one.
    #[must_use]
    pub fn check(self, name: &str) -> Option<HealthCheckSnapshot> {
        let check: &Check = self.0.find(name)?;
        check.source().map(|_| check.snapshot())
    }
}

/// Two annotated checks of one name.
pub(super) fn repeated() -> Vec<ConfigFault> {
    let checks = annotated();
    let earlier = |at: usize| checks[..at].iter().find(|earlier| earlier.name() == checks[at].name());
    let pairs = (0..checks.len()).filter_map(|at| Some((earlier(at)?.function, checks[at])));
    pairs
        .map(|(first, second)| {
            let (name, second) = (second.name(), second.function);
            let message = format!(
                "two checks have this name: `{}` ({}:{}) and `{}` ({}:{})",
                first.path(),
                first.file(),
                first.line(),
                second.path(),
                second.file(),
                second.line(),
            );
            ConfigFault::new([STEM.name, name], message, Origin::attribute(second))
        })
        .collect()
}

impl HealthTasks {
    /// Lets the checks run as long as the runtime does.
    pub fn detach(self) {
        std::mem::forget(self);
    }
}

impl Drop for HealthTasks {
    fn drop(&mut self) {
        let ended = self.world.checks.running().take_if(|running| running.start == self.start);
        drop(ended);
        for check in self.world.all_of::<Check>() {
            check.leave(self.world, self.start);
        }
    }
}

/// The place of one check in one start.
struct Loop {
    world: &'static World,
    check: &'static Check,
    start: u64,
}

/// However the task ends, what it found out counts no more.
impl Drop for Loop {
    fn drop(&mut self) {
        self.check.leave(self.world, self.start);
    }
}

async fn keep_checking(place: Loop, source: Source, mut first: Timer) {
    let Loop { world, check, start } = place;
    poll_fn(|cx| first.poll(cx)).await;
    drop(first);
    loop {
        let began = clock::now();
        let result = once(check, &source).await;
        if !check.found(world, start, began, result) {
            return;
        }
        pause(check).await;
    }
}

/// Waits for the next run, also when its interval changes meanwhile.
async fn pause(check: &Check) {
    let (ended, share) = (clock::now(), 1.0 - random::unit() / 10.0);
    loop {
        let mut changed = pin!(check.changed.notified());
        let waited = clock::now().saturating_duration_since(ended);
        let mut timer = Timer::after(check.terms().interval.mul_f64(share).saturating_sub(waited));
        let is_over = poll_fn(|cx| match timer.poll(cx) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending => changed.as_mut().poll(cx).map(|()| false),
        });
        if is_over.await {
            return;
        }
    }
}

/// One run, whose panics are contained: those of the user's code, and those of dropping it.
async fn once(check: &Check, source: &Source) -> Result<(), CheckFailure> {
    let (began, timeout) = (clock::now(), check.terms().timeout);
    let limit = Deadline::after(timeout);
    let run = async { Bounded::<_, _, Unclassified>::new(source.run(), Named(check.name()), limit).await };
    match AssertUnwindSafe(run).catch_unwind().await {
        // Nobody can give up on a run that holds its thread.
        Ok(Reply::Answer(Ok(()))) if clock::now().saturating_duration_since(began) > timeout => {
            Err(CheckFailure::TimedOut)
        }
        Ok(Reply::Answer(answer)) => answer.map_err(CheckFailure::Error),
        Ok(Reply::Refusal(Rejected::TimedOut { .. })) => Err(CheckFailure::TimedOut),
        Ok(Reply::Refusal(_)) => Err(CheckFailure::Error(Class::Unknown)),
        Err(payload) => {
            discard(payload);
            Err(CheckFailure::Panicked)
        }
    }
}

/// The name under which a run is given up.
#[derive(Clone, Copy, Debug)]
struct Named(&'static str);

impl Terms for Named {
    const STEM: &'static str = STEM.table.name;

    fn name(self) -> &'static str {
        self.0
    }

    /// The check counts its runs itself.
    fn count(self, _: usize) {}
}

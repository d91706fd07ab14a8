//! A server, its users, and what happened to them, second by second.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use resilient_runtime::{LoadShed, test_util};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, sleep_until};

use crate::plans::{Caller, Failure, Plan};

pub(crate) const USERS: u32 = 10_000;
/// Calls a second, while all is well.
pub(crate) const OFFERED: u32 = 300;
/// Calls a second that the server can answer.
pub(crate) const CAPACITY: u32 = 500;
/// In seconds. The server takes requests then, and answers none.
pub(crate) const OUTAGE: Range<usize> = 20..30;
pub(crate) const END: usize = 90;

const SERVICES: u32 = 4;
/// What a request takes that does not queue; as many run at once as make up the capacity.
const WORK: Duration = Duration::from_millis(40);
const WORKERS: usize = CAPACITY as usize / 25;

/// What happened within one second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Second {
    /// Calls that users made.
    pub(crate) calls: u32,
    /// Requests that reached the server.
    pub(crate) requests: u32,
    /// Calls that users had an answer to.
    pub(crate) answered: u32,
}

/// What one plan came to.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) plan: &'static str,
    pub(crate) seconds: Vec<Second>,
}

/// The server, and the clock of the world.
pub(crate) struct Server {
    start: Instant,
    workers: Semaphore,
    shedder: Option<LoadShed>,
    seconds: Mutex<Vec<Second>>,
}

impl Server {
    /// Asks for an answer. Who no longer listens is answered all the same: a server cannot know.
    pub(crate) async fn ask(self: Arc<Self>) -> Result<(), Failure> {
        self.now().requests += 1;
        tokio::spawn(self.admit()).await.unwrap_or(Err(Failure::Lost))
    }

    async fn admit(self: Arc<Self>) -> Result<(), Failure> {
        match &self.shedder {
            Some(shedder) => shedder.call(self.work()).await.or(Err(Failure::Busy)),
            None => self.work().await,
        }
    }

    async fn work(&self) -> Result<(), Failure> {
        let _worker = self.workers.acquire().await;
        if OUTAGE.contains(&self.second()) {
            sleep_until(self.start + Duration::from_secs(OUTAGE.end as u64)).await;
        }
        sleep(WORK).await;
        Ok(())
    }

    fn second(&self) -> usize {
        usize::try_from(self.start.elapsed().as_secs()).unwrap_or(usize::MAX).min(END)
    }

    fn now(&self) -> impl std::ops::DerefMut<Target = Second> + '_ {
        let second = self.second();
        Slot { seconds: self.seconds.lock().unwrap_or_else(PoisonError::into_inner), second }
    }
}

/// The second that is now.
struct Slot<'a> {
    seconds: MutexGuard<'a, Vec<Second>>,
    second: usize,
}

impl std::ops::Deref for Slot<'_> {
    type Target = Second;

    fn deref(&self) -> &Second {
        &self.seconds[self.second]
    }
}

impl std::ops::DerefMut for Slot<'_> {
    fn deref_mut(&mut self) -> &mut Second {
        &mut self.seconds[self.second]
    }
}

/// Runs the world once, on virtual time.
pub(crate) fn run(plan: Plan) -> io::Result<Course> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let seconds = runtime.block_on(async {
        test_util::seed(1);
        let server = Arc::new(Server {
            start: Instant::now(),
            workers: Semaphore::new(WORKERS),
            shedder: plan.shedder(),
            seconds: Mutex::new(vec![Second::default(); END + 1]),
        });
        for service in 0..SERVICES {
            let caller = Arc::new(plan.caller(service as usize));
            for user in 0..USERS / SERVICES {
                let dice = StdRng::seed_from_u64(u64::from(service * USERS + user));
                tokio::spawn(user_of(Arc::clone(&caller), Arc::clone(&server), dice));
            }
        }
        sleep(Duration::from_secs(END as u64)).await;
        let mut seconds = server.seconds.lock().unwrap_or_else(PoisonError::into_inner).clone();
        seconds.truncate(END);
        seconds
    });
    Ok(Course { plan: plan.name, seconds })
}

/// Calls, thinks, and calls again.
async fn user_of(caller: Arc<Caller>, server: Arc<Server>, mut dice: StdRng) {
    loop {
        let waiting_for: f64 = -(1.0 - dice.random::<f64>()).ln();
        sleep(Duration::from_secs_f64(waiting_for * f64::from(USERS) / f64::from(OFFERED))).await;
        server.now().calls += 1;
        if caller.call(&server).await.is_ok() {
            server.now().answered += 1;
        }
    }
}

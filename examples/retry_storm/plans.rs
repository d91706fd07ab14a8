//! Ways to call a server, each adding something to another.

use std::sync::Arc;
use std::time::Duration;

use resilient_runtime::{Backoff, CircuitBreaker, Classify, Jitter, LoadShed, Rejected, Retry, Timeout};

use crate::world::Server;

/// How long a service waits for the server.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a call of the server may end in.
#[derive(Debug, Classify)]
pub(crate) enum Failure {
    /// The server's task is gone.
    #[transient]
    Lost,
    /// The server has too much to do.
    #[transient]
    Busy,
    #[transparent]
    Rejected(Rejected),
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

/// One way to call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    /// The plan that it adds something to.
    pub(crate) base: &'static str,
    retry: Retry,
    has_budget: bool,
    has_breaker: bool,
    sheds: bool,
}

pub(crate) fn all() -> [Plan; 7] {
    let at_once = Retry::new().max(4).base(Duration::ZERO).budget("none");
    let backoff = at_once
        .backoff(Backoff::Exponential)
        .base(Duration::from_millis(200))
        .max_delay(Duration::from_secs(2))
        .jitter(Jitter::None);
    let naive = Plan {
        name: "at once",
        base: "",
        retry: at_once,
        has_budget: false,
        has_breaker: false,
        sheds: false,
    };
    let waiting = Plan { name: "backoff", base: naive.name, retry: backoff, ..naive };
    let jittered =
        Plan { name: "+ jitter", base: waiting.name, retry: backoff.jitter(Jitter::Full), ..waiting };
    let thrifty = Plan { name: "+ budget", base: jittered.name, has_budget: true, ..jittered };
    let guarded = Plan { name: "+ breaker", base: thrifty.name, has_breaker: true, ..thrifty };
    let shedding = Plan { name: "+ shedding", base: guarded.name, sheds: true, ..guarded };
    let alone = Plan { name: "jitter, shedding", base: jittered.name, sheds: true, ..jittered };
    [naive, waiting, jittered, thrifty, guarded, shedding, alone]
}

impl Plan {
    /// What the server goes by, where it refuses what it cannot answer in time.
    pub(crate) fn shedder(self) -> Option<LoadShed> {
        self.sheds.then(|| LoadShed::new("server"))
    }

    /// One of the services that users go to.
    pub(crate) fn caller(self, service: usize) -> Caller {
        const NAMES: [&str; 4] = ["shop", "search", "basket", "account"];
        let name = NAMES[service % NAMES.len()];
        let breaker = CircuitBreaker::new(name)
            .failure_rate(0.5)
            .window(Duration::from_secs(5))
            .reset_timeout(Duration::from_secs(2))
            .half_open_calls(3);
        Caller {
            timeout: Timeout::new(PATIENCE).name(name),
            retry: if self.has_budget { self.retry.budget(name) } else { self.retry },
            breaker: self.has_breaker.then_some(breaker),
        }
    }
}

/// A service, with policies of its own.
#[derive(Debug)]
pub(crate) struct Caller {
    timeout: Timeout,
    retry: Retry,
    breaker: Option<CircuitBreaker>,
}

impl Caller {
    pub(crate) async fn call(&self, server: &Arc<Server>) -> Result<(), Failure> {
        let attempt = || async {
            let attempt = self.timeout.call(Arc::clone(server).ask());
            match &self.breaker {
                Some(breaker) => breaker.call(attempt).await,
                None => attempt.await,
            }
        };
        self.retry.run(attempt).await
    }
}

//! Ways to call a server, each adding to the one before.

use std::sync::Arc;
use std::time::Duration;

use resilient_runtime::{Backoff, CircuitBreaker, Classify, Jitter, Rejected, Retry, Timeout};

use crate::world::Server;

/// How long a service waits for the server.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a call of the server may end in.
#[derive(Debug, Classify)]
pub(crate) enum Failure {
    /// The server's task is gone.
    #[transient]
    Lost,
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
    retry: Retry,
    has_budget: bool,
    has_breaker: bool,
}

pub(crate) fn all() -> [Plan; 5] {
    let at_once = Retry::new().max(4).base(Duration::ZERO).budget("none");
    let backoff = at_once
        .backoff(Backoff::Exponential)
        .base(Duration::from_millis(200))
        .max_delay(Duration::from_secs(2))
        .jitter(Jitter::None);
    let naive = Plan { name: "at once", retry: at_once, has_budget: false, has_breaker: false };
    let waiting = Plan { name: "backoff", retry: backoff, ..naive };
    let jittered = Plan { name: "+ jitter", retry: backoff.jitter(Jitter::Full), ..waiting };
    let thrifty = Plan { name: "+ budget", has_budget: true, ..jittered };
    let guarded = Plan { name: "+ breaker", has_breaker: true, ..thrifty };
    [naive, waiting, jittered, thrifty, guarded]
}

impl Plan {
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

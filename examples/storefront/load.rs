//! Customers who come at a steady rate, however the shop is doing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use crate::service::Script;
use crate::shop::{Answer, PaymentError};

/// Calls that begin per second.
const RATE: u32 = 100;

/// How one call went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// When the customer came, which a machine under load may notice late.
    pub(crate) began: Instant,
    pub(crate) took: Duration,
    /// Nothing for a call that failed.
    pub(crate) answer: Option<Answer>,
}

/// All calls that have ended, in the order of their ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Sample>>>);

impl Log {
    fn samples(&self) -> MutexGuard<'_, Vec<Sample>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that ended after the first `seen`.
    pub(crate) fn since(&self, seen: usize) -> Vec<Sample> {
        self.samples()[seen..].to_vec()
    }
}

/// Makes calls until the script ends, and waits for those still running.
pub(crate) async fn steady<F, C>(script: Script, log: Log, call: F)
where
    F: Fn(u32) -> C,
    C: Future<Output = Result<Answer, PaymentError>> + Send + 'static,
{
    let mut calls = JoinSet::new();
    let mut ticks = interval(Duration::from_secs(1) / RATE);
    for number in 0.. {
        let began = ticks.tick().await;
        if began >= script.ends() {
            break;
        }
        let log = log.clone();
        let call = call(number);
        calls.spawn(async move {
            let answer = call.await.ok();
            log.samples().push(Sample { began, took: began.elapsed(), answer });
        });
    }
    calls.join_all().await;
}

/// The time that `share` of the calls stayed within.
pub(crate) fn percentile(samples: &[Sample], share: f64) -> Option<Duration> {
    let mut times: Vec<_> = samples.iter().map(|sample| sample.took).collect();
    times.sort_unstable();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "an index into a few thousand samples"
    )]
    let rank = (times.len() as f64 * share).ceil() as usize;
    times.get(rank.saturating_sub(1)).copied()
}

//! Eight tasks on two workers that share one policy; their body yields once.

use std::hint::black_box;
use std::thread;

use failsafe::futures::CircuitBreaker as _;
use layered::Service as _;
use tokio::time::timeout;
use tower::{Service as _, ServiceExt as _};

use crate::bodies::yields;
use crate::harness::Crowd;
use crate::peers::{self, LIMIT, kept};
use crate::{ours, timeouts};

pub const BREAKER: &str = "breaker closed, eight tasks on two workers, body yields once";
pub const TIMEOUT: &str = "timeout, eight tasks on two workers, body yields once";

macro_rules! task {
    ($n:ident => $call:expr) => {
        Box::new(move |calls| {
            tokio::spawn(async move {
                for $n in 0..calls {
                    drop(black_box($call.await));
                }
                thread::current().id()
            })
        })
    };
}

macro_rules! serving {
    ($service:ident) => {
        Box::new(move |calls| {
            let mut service = $service.clone();
            tokio::spawn(async move {
                for n in 0..calls {
                    drop(black_box(async { service.ready().await?.call(n).await }.await));
                }
                thread::current().id()
            })
        })
    };
}

pub fn crowds() -> Vec<Crowd> {
    [breakers(), timeouts()].into_iter().flatten().collect()
}

fn breakers() -> Vec<Crowd> {
    let (nobreak, recloser, failsafe) =
        (kept(peers::nobreak()), kept(peers::recloser()), kept(peers::failsafe()));
    let (rated, policy) = (kept(peers::circuitbreaker_rs()), kept(peers::by_failures()));
    let (seatbelt, tower) = (kept(peers::seatbelt(yields)), peers::tower_resilience(None, yields));
    let crowd = |name, spawn| Crowd { path: BREAKER, name, spawn };
    vec![
        crowd("ours", task!(n => ours::breaker_yields(n))),
        crowd("direct", task!(n => yields(n))),
        crowd("nobreak", task!(n => nobreak.call_async(|| yields(n)))),
        crowd("recloser", task!(n => recloser.call(yields(n)))),
        crowd("failsafe", task!(n => failsafe.call(yields(n)))),
        crowd("circuitbreaker-rs", task!(n => rated.call_async(|| yields(n)))),
        crowd("seatbelt", task!(n => seatbelt.execute(n))),
        crowd("execution-policy", task!(n => policy.run_boxed(|| Box::pin(yields(n))))),
        crowd("tower-resilience", serving!(tower)),
    ]
}

fn timeouts() -> Vec<Crowd> {
    let (policy, seatbelt) = (kept(timeouts::execution_policy()), kept(timeouts::seatbelt(yields)));
    let tower = timeouts::tower_resilience(yields);
    let crowd = |name, spawn| Crowd { path: TIMEOUT, name, spawn };
    vec![
        crowd("ours", task!(n => ours::timeout_yields(n))),
        crowd("direct", task!(n => yields(n))),
        crowd("tokio", task!(n => timeout(LIMIT, yields(n)))),
        crowd("seatbelt", task!(n => seatbelt.execute(n))),
        crowd("execution-policy", task!(n => policy.run_boxed(|| Box::pin(yields(n))))),
        crowd("tower-resilience", serving!(tower)),
    ]
}

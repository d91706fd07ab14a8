//! One breaker: closed, half of its calls failing, open.

use std::hint::black_box;

use failsafe::futures::CircuitBreaker as _;
use layered::Service as _;
use tower::Service as _;

use crate::bodies::{down, half, short, work};
use crate::harness::{Case, at_once, spin};
use crate::peers;
use crate::{calls, ours, serves};

pub const CLOSED: &str = "breaker closed, success";
pub const SHORT: &str = "breaker closed, success, an error of one byte";
pub const MARKED: &str = "breaker closed, success, a failure in its window of calls";
pub const TIMED: &str = "breaker closed, success, time window of 10 s";
pub const HALF: &str = "breaker closed, half of the calls failing";
pub const OPEN: &str = "breaker open, rejected";

pub fn cases() -> Vec<Case> {
    [closed(), short_errors(), timed(), failing(), open()].into_iter().flatten().collect()
}

fn closed() -> Vec<Case> {
    let (nobreak, recloser, failsafe) = (peers::nobreak(), peers::recloser(), peers::failsafe());
    let (rated, policy) = (peers::circuitbreaker_rs(), peers::by_failures());
    let (seatbelt, tower) = (peers::seatbelt(work), peers::tower_resilience(None, work));
    let case = |name, run| Case { path: CLOSED, name, run, two: true };
    vec![
        case("ours, consecutive", calls!(n => ours::consecutive(n))),
        case("ours, count window", calls!(n => ours::count(n))),
        case("nobreak", calls!(n => nobreak.call_async(|| work(n)))),
        case("recloser", calls!(n => recloser.call(work(n)))),
        case("failsafe", calls!(n => failsafe.call(work(n)))),
        case("circuitbreaker-rs", calls!(n => rated.call_async(|| work(n)))),
        case("seatbelt", calls!(n => seatbelt.execute(n))),
        case("execution-policy", calls!(n => policy.run(async || work(n).await))),
        case("tower-resilience", serves!(tower; spin)),
        Case {
            path: MARKED,
            name: "ours, count window",
            two: false,
            run: Box::new(|calls| {
                for n in 0..calls {
                    if n.is_multiple_of(ours::HELD) {
                        drop(black_box(at_once(ours::mark(n))));
                    }
                    drop(black_box(at_once(ours::marked(n))));
                }
            }),
        },
    ]
}

fn short_errors() -> Vec<Case> {
    let (nobreak, recloser) = (peers::nobreak(), peers::recloser());
    let case = |name, run| Case { path: SHORT, name, run, two: false };
    vec![
        case("ours, consecutive", calls!(n => ours::consecutive_short(n))),
        case("direct", calls!(n => short(n))),
        case("nobreak", calls!(n => nobreak.call_async(|| short(n)))),
        case("recloser", calls!(n => recloser.call(short(n)))),
    ]
}

fn timed() -> Vec<Case> {
    let (seatbelt, policy) = (peers::seatbelt(work), peers::by_ratio());
    let case = |name, run| Case { path: TIMED, name, run, two: true };
    vec![
        case("ours", calls!(n => ours::time(n))),
        case("seatbelt", calls!(n => seatbelt.execute(n))),
        case("execution-policy", calls!(n => policy.run(async || work(n).await))),
    ]
}

fn failing() -> Vec<Case> {
    let (nobreak, recloser, failsafe) = (peers::nobreak(), peers::recloser(), peers::failsafe());
    let (rated, policy) = (peers::circuitbreaker_rs(), peers::by_failures());
    let (seatbelt, tower) = (peers::seatbelt(half), peers::tower_resilience(None, half));
    let case = |name, run| Case { path: HALF, name, run, two: true };
    vec![
        case("ours, consecutive", calls!(n => ours::half_consecutive(n))),
        case("ours, count window", calls!(n => ours::half_count(n))),
        case("ours, time window", calls!(n => ours::half_time(n))),
        case("nobreak", calls!(n => nobreak.call_async(|| half(n)))),
        case("recloser", calls!(n => recloser.call(half(n)))),
        case("failsafe", calls!(n => failsafe.call(half(n)))),
        case("circuitbreaker-rs", calls!(n => rated.call_async(|| half(n)))),
        case("seatbelt", calls!(n => seatbelt.execute(n))),
        case("execution-policy", calls!(n => policy.run(async || half(n).await))),
        case("tower-resilience", serves!(tower; spin)),
    ]
}

/// The warm-up opens them.
fn open() -> Vec<Case> {
    let (nobreak, recloser, failsafe) = (peers::nobreak(), peers::recloser(), peers::failsafe());
    let (rated, policy) = (peers::circuitbreaker_rs(), peers::by_failures());
    let (seatbelt, tower) = (peers::seatbelt(down), peers::tower_resilience(None, down));
    let case = |name, run| Case { path: OPEN, name, run, two: true };
    vec![
        case("ours", calls!(n => ours::open(n))),
        case("nobreak", calls!(n => nobreak.call_async(|| down(n)))),
        case("recloser", calls!(n => recloser.call(down(n)))),
        case("failsafe", calls!(n => failsafe.call(down(n)))),
        case("circuitbreaker-rs", calls!(n => rated.call_async(|| down(n)))),
        case("seatbelt", calls!(n => seatbelt.execute(n))),
        case("execution-policy", calls!(n => policy.run(async || down(n).await))),
        // Two threads that meet at its lock wait for a millisecond.
        Case { path: OPEN, name: "tower-resilience", run: serves!(tower), two: false },
    ]
}

//! Who waits for whom: calls that lead a flight while they wait for another.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Held, Id};

/// How many calls lead a flight of the first while they wait for one of the second. Who leads none is not here:
/// nobody waits for it.
type Calls = BTreeMap<(Id, Id), usize>;

static CALLS: Mutex<Calls> = Mutex::new(Calls::new());

/// A call that waits; it does so until this goes.
#[derive(Debug)]
pub(crate) struct Waits {
    _edges: Option<Box<Wait>>,
}

#[derive(Debug)]
struct Wait {
    leads: Held,
    on: Id,
}

impl Waits {
    /// Nothing, if the flight of `on` may wait for one that the running code leads.
    ///
    /// Policies are told apart and not their flights, so where two of them ask for each other somebody is turned
    /// away who might have waited. Nothing but a run is lost by that, and a call that leads need not say which
    /// flight it is whenever it is polled.
    pub(crate) fn on(on: Id) -> Option<Self> {
        let leads = Held::current();
        if leads.has(on) {
            return None;
        }
        if leads.flights().next().is_none() {
            return Some(Self { _edges: None });
        }
        let mut calls = lock();
        if leads_to(&calls, on, leads) {
            return None;
        }
        for of in leads.flights() {
            *calls.entry((of, on)).or_default() += 1;
        }
        drop(calls);
        Some(Self { _edges: Some(Box::new(Wait { leads, on })) })
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut calls = lock();
        for of in self.leads.flights() {
            let edge = (of, self.on);
            match calls.get_mut(&edge) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(calls.remove(&edge)),
            }
        }
    }
}

/// Whether somebody who leads a flight of `from` waits, at once or by way of others, for one of `leads`.
fn leads_to(calls: &Calls, from: Id, leads: Held) -> bool {
    let (mut seen, mut next) = (vec![from], 0);
    while let Some(&of) = seen.get(next) {
        next += 1;
        for &(_, on) in calls.range((of, Id::NOBODY)..=(of, Id::EVERYBODY)).map(|(edge, _)| edge) {
            if leads.has(on) {
                return true;
            }
            if !seen.contains(&on) {
                seen.push(on);
            }
        }
    }
    false
}

fn lock() -> MutexGuard<'static, Calls> {
    CALLS.lock().unwrap_or_else(PoisonError::into_inner)
}

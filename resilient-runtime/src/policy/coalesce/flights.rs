//! Who is under way for which key, and who waits for that.

use std::any::Any;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;
use std::sync::{Arc, PoisonError};
use std::task::Waker;

use crate::key_of::Hashed;
use crate::sync::{Mutex, MutexGuard};

const SHARDS: usize = if cfg!(resilient_loom) { 1 } else { 16 };
/// A map that was larger than this for a while gives the room back.
const ROOMY: usize = 256;

/// What the calls of one flight share: its key, and its answer when it has landed.
pub(super) type Cargo = Arc<dyn Any + Send + Sync>;

/// Flights by the hash of their key. No code of the user's runs under a lock.
#[derive(Debug)]
pub(super) struct Flights {
    shards: [Mutex<Shard>; SHARDS],
}

type Shard = HashMap<u64, Flight, BuildHasherDefault<Hashed>>;

#[derive(Debug)]
struct Flight {
    cargo: Cargo,
    led: bool,
    last: u64,
    /// By ticket, which is the order they came in. Who has been woken to lead has no waker any more.
    waiters: BTreeMap<u64, Option<Waker>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// The leader has gone, and the caller leads.
    Led,
    /// The waker learns when something has changed.
    Waiting,
    /// The flight is over.
    Over,
}

impl Flights {
    pub(super) fn new() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::new(Shard::default())) }
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        // The map inside uses the other end of the hash.
        self.shards[(hash >> 32) as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a flight, which the caller leads, or gives the one under way.
    pub(super) fn board<Q>(&self, hash: u64, ask: Q, load: fn(Q) -> Cargo) -> Result<Cargo, (Q, Cargo)> {
        match self.shard(hash).entry(hash) {
            Entry::Occupied(flight) => Err((ask, Arc::clone(&flight.get().cargo))),
            Entry::Vacant(place) => {
                let cargo = load(ask);
                let (waiters, last) = (BTreeMap::new(), 0);
                place.insert(Flight { cargo: Arc::clone(&cargo), led: true, last, waiters });
                Ok(cargo)
            }
        }
    }

    /// Takes the lead if nobody has it, or waits under `ticket`, which is zero at first.
    pub(super) fn wait(&self, hash: u64, cargo: &Cargo, ticket: &mut u64, waker: &Waker) -> Waited {
        // A waker is somebody else's code: none is copied or dropped under the lock.
        let mut waker = Some(waker.clone());
        let mut shard = self.shard(hash);
        let Some(flight) = of(&mut shard, hash, cargo) else { return Waited::Over };
        if !flight.led {
            flight.led = true;
            waker = flight.waiters.remove(ticket).flatten();
            drop(shard);
            drop(waker);
            return Waited::Led;
        }
        if *ticket == 0 {
            flight.last += 1;
            *ticket = flight.last;
        }
        std::mem::swap(flight.waiters.entry(*ticket).or_default(), &mut waker);
        drop(shard);
        drop(waker);
        Waited::Waiting
    }

    /// Stops waiting.
    pub(super) fn leave(&self, hash: u64, cargo: &Cargo, ticket: u64) {
        let mut shard = self.shard(hash);
        let Some(flight) = of(&mut shard, hash, cargo) else { return };
        let own = flight.waiters.remove(&ticket).flatten();
        let next = if flight.led { None } else { next(flight) };
        remove_if_deserted(&mut shard, hash);
        drop(shard);
        drop(own);
        next.into_iter().for_each(Waker::wake);
    }

    /// Gives the lead away, to the first who waits; true if somebody does.
    pub(super) fn hand_over(&self, hash: u64, cargo: &Cargo) -> bool {
        let mut shard = self.shard(hash);
        let Some(flight) = of(&mut shard, hash, cargo) else { return false };
        flight.led = false;
        let (next, handed) = (next(flight), !flight.waiters.is_empty());
        remove_if_deserted(&mut shard, hash);
        drop(shard);
        next.into_iter().for_each(Waker::wake);
        handed
    }

    /// Whether anybody waits.
    pub(super) fn is_awaited(&self, hash: u64, cargo: &Cargo) -> bool {
        of(&mut self.shard(hash), hash, cargo).is_some_and(|flight| !flight.waiters.is_empty())
    }

    /// Ends the flight, whose answer those who wait find: who comes now begins another one.
    pub(super) fn land(&self, hash: u64, cargo: &Cargo) {
        let mut shard = self.shard(hash);
        let flight = of(&mut shard, hash, cargo).is_some().then(|| remove(&mut shard, hash)).flatten();
        drop(shard);
        flight.into_iter().flat_map(|flight| flight.waiters.into_values().flatten()).for_each(Waker::wake);
    }

    /// Flights under way, and calls that wait for one.
    pub(super) fn load(&self) -> (u64, u64) {
        let mut load = (0, 0);
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            load.0 += shard.len() as u64;
            load.1 += shard.values().map(|flight| flight.waiters.len() as u64).sum::<u64>();
        }
        load
    }
}

/// The flight with this cargo, if it is under way.
fn of<'a>(shard: &'a mut Shard, hash: u64, cargo: &Cargo) -> Option<&'a mut Flight> {
    shard.get_mut(&hash).filter(|flight| Arc::ptr_eq(&flight.cargo, cargo))
}

/// The waker of who may lead next. Who has none any more is on the way.
fn next(flight: &mut Flight) -> Option<Waker> {
    flight.waiters.first_entry().and_then(|mut first| first.get_mut().take())
}

fn remove_if_deserted(shard: &mut Shard, hash: u64) {
    if shard.get(&hash).is_some_and(|flight| !flight.led && flight.waiters.is_empty()) {
        remove(shard, hash);
    }
}

fn remove(shard: &mut Shard, hash: u64) -> Option<Flight> {
    let flight = shard.remove(&hash);
    if shard.is_empty() && shard.capacity() > ROOMY {
        shard.shrink_to_fit();
    }
    flight
}

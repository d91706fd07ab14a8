//! What a subscriber holds.

use std::fmt;

use tokio::sync::broadcast::{self, error::RecvError};

use super::{Bus, Event};

/// The events of all policies, from the moment it was made.
#[derive(Debug)]
pub struct Subscription {
    receiver: broadcast::Receiver<Event>,
    bus: &'static Bus,
}

/// Where the events for all subscribers go in.
pub(super) type Channel = broadcast::Sender<Event>;

/// Events a slow subscriber may lag behind before it misses some.
const BACKLOG: usize = 1024;

impl Bus {
    pub(crate) fn subscribe(&'static self) -> Subscription {
        let receiver = self.channel(|| broadcast::channel(BACKLOG).0).subscribe();
        self.listen();
        Subscription { receiver, bus: self }
    }
}

/// A subscriber was too slow and missed this many events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Missed {
    /// How many were missed.
    pub events: u64,
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} events were missed", self.events)
    }
}

impl std::error::Error for Missed {}

impl Subscription {
    /// The next event.
    ///
    /// # Errors
    ///
    /// [`Missed`] when this reader was too slow; the call after it goes on with the oldest event
    /// still there.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no event.
    pub async fn recv(&mut self) -> Result<Event, Missed> {
        match self.receiver.recv().await {
            Ok(event) => Ok(event),
            Err(RecvError::Lagged(events)) => Err(Missed { events }),
            // The registry owns the sender and lives as long as the program.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.bus.unlisten();
    }
}

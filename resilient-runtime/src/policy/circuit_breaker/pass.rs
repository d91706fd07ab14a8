//! An admitted call, and how far it has got.

use super::ticket::Ticket;
use crate::clock::Tick;
use crate::progress::Progress;

/// An admitted call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    pub(super) ticket: Ticket,
    pub(super) started: Tick,
}

impl Pass {
    pub(super) const NONE: Self = Self::untimed(Ticket::UNCOUNTED);

    /// What no clock is read for started at the end of time, and took none.
    pub(super) const fn untimed(ticket: Ticket) -> Self {
        Self { ticket, started: Tick::MAX }
    }
}

/// A pass and its progress, which stands where tickets leave room: every guarded future carries it.
#[derive(Clone, Copy)]
pub(super) struct Course {
    pass: Pass,
}

impl Course {
    pub(super) const FRESH: Self = Self::new(Pass::NONE, Progress::Fresh);

    pub(super) const fn new(pass: Pass, progress: Progress) -> Self {
        Self { pass: Pass { ticket: pass.ticket.with_note(progress as u64), started: pass.started } }
    }

    /// Goes on with a ticket that is at hand, which spares reading the word that it writes.
    pub(super) const fn go_on(&mut self, ticket: Ticket, progress: Progress) {
        self.pass.ticket = ticket.with_note(progress as u64);
    }

    /// Touches one word of the two: this happens on each poll.
    pub(super) const fn note(&mut self, progress: Progress) {
        self.pass.ticket = self.pass.ticket.with_note(progress as u64);
    }

    pub(super) const fn progress(self) -> Progress {
        match self.pass.ticket.note() {
            0 => Progress::Fresh,
            1 => Progress::Polling,
            2 => Progress::Waiting,
            _ => Progress::Done,
        }
    }

    pub(super) const fn ticket(self) -> Ticket {
        self.pass.ticket.with_note(0)
    }

    pub(super) const fn pass(self) -> Pass {
        Pass { ticket: self.ticket(), started: self.pass.started }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_leaves_the_ticket_alone() {
        for ticket in [Ticket::closed(u32::MAX), Ticket::new(7, 1), Ticket::OBSERVED, Ticket::UNCOUNTED] {
            for progress in [Progress::Fresh, Progress::Polling, Progress::Waiting, Progress::Done] {
                let course = Course::new(Pass { ticket, started: Tick::ZERO }, progress);
                assert_eq!((course.pass().ticket, course.progress() as u64), (ticket, progress as u64));
            }
        }
    }
}

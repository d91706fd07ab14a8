//! How far the future of a guarded call has got.

/// How far a call has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Fresh,
    /// The user's code runs; still so when the future is dropped, it has panicked.
    Polling,
    Waiting,
    Done,
}

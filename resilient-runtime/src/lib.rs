//! Resilience policies for async functions.

mod backoff;
mod budget;
mod clock;
mod random;

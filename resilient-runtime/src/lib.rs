//! Resilience policies for async functions.

mod clock;

//! Resilience policies for async functions.

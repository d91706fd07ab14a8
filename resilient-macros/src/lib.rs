//! Attribute macros of `resilient-runtime`.

//! Several attributes on one function: order and effect.

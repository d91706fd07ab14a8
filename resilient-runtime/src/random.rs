//! Where randomness comes from.

use rand::RngExt;

/// A number in `[0, 1)`, from this thread's generator.
pub(crate) fn unit() -> f64 {
    rand::rng().random()
}

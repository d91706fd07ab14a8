//! Where randomness comes from.

use rand::RngExt;

/// A number in `[0, 1)`, from this thread's generator.
pub(crate) fn unit() -> f64 {
    #[cfg(feature = "test-util")]
    if let Some(number) = crate::test_util::seeded() {
        return number;
    }
    rand::rng().random()
}

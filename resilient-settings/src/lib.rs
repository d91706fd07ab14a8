//! What the policies of `resilient-runtime` can be told: their keys, the values, and the texts for them.
//!
//! The attributes are read by the compiler and files by the running program; both go by what stands here, so
//! that one text means the same in both. This crate is theirs alone: use `resilient-runtime`, which shows what
//! a user needs of it.

mod backoff;
mod defaults;
#[cfg(feature = "file")]
#[doc(hidden)]
pub mod file;
#[doc(hidden)]
pub mod literal;
mod names;
mod rate;
#[cfg(feature = "schema")]
#[doc(hidden)]
pub mod schema;
mod spot;
#[doc(hidden)]
pub mod stack;
#[doc(hidden)]
pub mod stem;
mod value;
#[doc(hidden)]
pub mod words;

use std::time::Duration;

pub use self::backoff::{Backoff, Jitter};
#[doc(hidden)]
pub use self::backoff::{Previous, Schedule};
#[doc(hidden)]
pub use self::defaults::{default, defaults};
#[doc(hidden)]
pub use self::names::{intern, intern_outside};
pub use self::rate::Rate;
#[doc(hidden)]
pub use self::spot::{Excerpt, Source, Spot};
pub use self::value::Value;
#[doc(hidden)]
pub use self::value::{Complaint, Key, Kind, MAX_KEYS, Written};

/// Whole nanoseconds, the last representable one for more than 584 years.
#[doc(hidden)]
#[must_use]
pub const fn nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos() as u64)
}

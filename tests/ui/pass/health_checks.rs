//! Checks where a function can stand, and no lint of the user's fires.
#![deny(warnings, missing_docs, unreachable_pub, unused_qualifications, rust_2018_idioms, future_incompatible, unused)]

use resilient_runtime::{circuit_breaker, health_check, retry, timeout};

extern crate resilient_runtime as tough;

const OFTEN: std::time::Duration = std::time::Duration::from_secs(3);

/// Nobody calls this one by hand.
#[health_check(name = "uncalled", critical, interval = OFTEN, timeout = "100ms")]
async fn uncalled() -> std::io::Result<()> {
    #![allow(clippy::unused_async, reason = "an attribute of the body")]
    use std::io::Error;
    const GONE: bool = false;
    if GONE {
        return Err(Error::other("gone"));
    }
    Ok(())
}

/// A module.
pub mod inner {
    /// Under another name, among other attributes.
    #[tough::retry(max = 2, crate = ::tough)]
    #[tough::health_check(name = "among", crate = ::tough)]
    #[tough::timeout("1s", crate = ::tough)]
    pub async fn among() -> Result<u8, tough::Fault<()>> {
        Ok(1)
    }
}

#[timeout("1s")]
#[circuit_breaker(name = "below")]
#[health_check(name = "below")]
async fn below() -> Result<impl Sized, Box<dyn std::error::Error + Send + Sync>> {
    Ok("found")
}

macro_rules! check {
    ($function:ident, $name:literal, $body:block) => {
        #[health_check(name = $name)]
        #[retry]
        async fn $function() -> Result<(), &'static str> $body
    };
}

check!(made, "made", { Err("away") });

type Answer = std::io::Result<()>;

#[health_check(name = "raw")]
async fn r#match() -> Answer {
    Ok(())
}

#[cfg(any())]
#[health_check(name = "absent")]
async fn absent() -> Answer {
    no_such_function()
}

fn main() {
    #[health_check(name = "local")]
    async fn local() -> Answer {
        Ok(())
    }
    drop((inner::among(), below(), made(), r#match(), local()));
}

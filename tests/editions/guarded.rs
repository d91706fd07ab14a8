//! Guarded functions as a crate meets them that has no prelude and allows nothing, in each edition.
//!
//! The edition decides how the tokens of an expansion are read; `Cargo.toml` beside each name gives it.

#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(
    warnings,
    absolute_paths_not_starting_with_crate,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    future_incompatible,
    keyword_idents,
    let_underscore_drop,
    missing_debug_implementations,
    missing_docs,
    rust_2018_compatibility,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unreachable_pub,
    unused,
    unused_lifetimes,
    unused_results
)]

extern crate resilient_runtime as renamed;

use ::core::clone::Clone;
use ::core::convert::Into;
use ::core::result::Result::{self, Err, Ok};
use ::std::string::String;
use ::std::vec::Vec;

/// The runtime behind a module of this crate.
pub mod reexport {
    pub use ::resilient_runtime as runtime;
}

/// The one error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayError;

impl ::core::convert::From<::resilient_runtime::Rejected> for PayError {
    fn from(_: ::resilient_runtime::Rejected) -> Self {
        PayError
    }
}

fn busy_once() -> Result<u32, PayError> {
    if ::resilient_runtime::attempt() < 2 {
        Err(PayError)
    } else {
        Ok(2)
    }
}

/// Every attribute at once.
///
/// # Errors
///
/// The last attempt's.
#[::resilient_runtime::fallback(fn = cached)]
#[::resilient_runtime::timeout("9s")]
#[::resilient_runtime::retry(max = 4, when = |_| true, when_ok = |v: &String| v.is_empty(), on_retry = |_, _, _| ())]
#[::resilient_runtime::circuit_breaker(name = "payments", key = sku, ignore_when = |_| false)]
#[::resilient_runtime::timeout("1s")]
pub async fn all(id: String, sku: &str, seen: &mut Vec<u32>, mut n: u32) -> Result<String, PayError> {
    n += 1;
    seen.push(n);
    let _two: u32 = busy_once()?;
    Ok(id)
}

async fn cached(id: String, _sku: &str, _seen: &mut Vec<u32>, _n: u32) -> Result<String, PayError> {
    Ok(id)
}

/// Owner of the methods.
#[derive(Clone, Copy, Debug)]
pub struct Client(u32);

impl Client {
    /// A chain, the second of which sees the error.
    ///
    /// # Errors
    ///
    /// That of the chain's last function.
    #[::resilient_runtime::fallback(fn = [Self::down, Self::count(&*self, err)])]
    #[::resilient_runtime::retry]
    pub async fn unique(&mut self) -> Result<u32, PayError> {
        self.0 += 1;
        Err(PayError)
    }

    async fn down(&mut self) -> Result<u32, PayError> {
        Err(PayError)
    }

    fn count(&self, _: PayError) -> Result<u32, PayError> {
        Ok(self.0)
    }

    /// Two borrows and an owned argument.
    ///
    /// # Errors
    ///
    /// None, as there is a value.
    #[::resilient_runtime::fallback(value = self.0)]
    #[::resilient_runtime::retry]
    pub async fn shared<'a>(&'a self, _sku: &'a str, id: String) -> Result<u32, PayError> {
        ::core::mem::drop(id);
        Err(PayError)
    }

    /// Each attempt gets its own.
    ///
    /// # Errors
    ///
    /// The last attempt's.
    #[::resilient_runtime::retry]
    pub async fn owned(mut self) -> Result<Self, PayError> {
        self.0 += busy_once()?;
        Ok(self)
    }
}

/// By the name that this crate gives the runtime.
///
/// # Errors
///
/// The last attempt's.
#[::renamed::timeout("9s")]
#[::renamed::retry(crate = ::renamed)]
#[::renamed::circuit_breaker(name = "renamed")]
pub async fn by_another_name() -> Result<u32, PayError> {
    busy_once()
}

/// Through a module.
///
/// # Errors
///
/// The last attempt's.
#[reexport::runtime::timeout("9s", crate = crate::reexport::runtime)]
#[reexport::runtime::retry(crate = crate::reexport::runtime)]
pub async fn by_a_module() -> Result<u32, PayError> {
    busy_once()
}

macro_rules! guarded {
    ($(#[$meta:meta])* $vis:vis $name:ident($arg:ident: $ty:ty) $body:block) => {
        $(#[$meta])*
        #[::resilient_runtime::timeout("9s")]
        #[::resilient_runtime::retry]
        $vis async fn $name($arg: $ty) -> Result<$ty, PayError> $body
    };
}

guarded!(
    #[doc = "Made by a macro."]
    pub made(n: u32) {
        let two = busy_once()?;
        Ok(n + two)
    }
);

/// Written without `async fn`.
#[::resilient_runtime::timeout("9s")]
#[::resilient_runtime::retry]
pub fn by_hand<'a>(
    text: &'a str,
) -> ::core::pin::Pin<
    ::std::boxed::Box<
        dyn ::core::future::Future<Output = Result<&'a str, PayError>> + ::core::marker::Send + 'a,
    >,
> {
    ::std::boxed::Box::pin(async move {
        let _two: u32 = busy_once()?;
        Ok(text)
    })
}

/// Constants where numbers stand.
///
/// # Errors
///
/// The last attempt's.
#[::resilient_runtime::retry(max = limits::MAX, base = limits::BASE)]
pub async fn constants(text: impl Into<String> + Clone) -> Result<String, PayError> {
    let _two: u32 = busy_once()?;
    Ok(text.into())
}

mod limits {
    pub(super) const MAX: u32 = 3;
    pub(super) const BASE: ::core::time::Duration = ::core::time::Duration::from_millis(3);
}

/// What an error means.
#[derive(Clone, Copy, Debug, ::resilient_runtime::Classify)]
pub enum Meaning {
    /// May work next time.
    #[transient]
    Busy,
    /// Says for how long.
    #[throttled(after = time)]
    Later {
        /// The wait.
        time: ::core::time::Duration,
    },
    /// Is final.
    #[permanent]
    Declined(u32),
}

#[test]
fn every_function_gives_its_answer() {
    let runtime = ::tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime can be had").block_on(async {
        ::core::assert_eq!(all("a".into(), "b", &mut Vec::new(), 1).await, Ok("a".into()));
        ::core::assert_eq!(Client(1).unique().await, Ok(4));
        ::core::assert_eq!(Client(1).shared("", String::new()).await, Ok(1));
        ::core::assert_eq!(Client(1).owned().await.map(|client| client.0), Ok(3));
        ::core::assert_eq!(by_another_name().await, Ok(2));
        ::core::assert_eq!(by_a_module().await, Ok(2));
        ::core::assert_eq!(made(2).await, Ok(4));
        ::core::assert_eq!(by_hand("a").await, Ok("a"));
        ::core::assert_eq!(constants("a").await, Ok("a".into()));
    });
}

// Nothing in scope but the user's own things, under the names an expansion could trip over.
#![no_implicit_prelude]
#![allow(dead_code, reason = "names are all that counts here")]

mod core {}
mod std {}
mod tokio {}

enum Result {}
enum Option {}
struct Ok;
struct Err;
struct Some;
struct None;
struct Clone;
struct From;
struct Future;
struct Duration;
struct Box;

use ::resilient_runtime::{circuit_breaker, fallback, retry, timeout};

fn cached(_path: &str) -> ::std::io::Result<::std::string::String> {
    ::std::result::Result::Ok(::std::string::String::new())
}

#[fallback(fn = cached(path))]
#[retry(max = 2, jitter, when = |_error| false, on_retry = |_attempt, _delay, _cause| {})]
#[circuit_breaker(name = "disk", failure_rate = 0.5, key = path, ignore_when = |_error| false)]
#[timeout("1s")]
async fn load(path: &str, _salt: ::std::string::String) -> ::std::io::Result<::std::string::String> {
    ::tokio::fs::read_to_string(path).await
}

fn main() {}

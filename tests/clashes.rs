//! Functions that disagree about a name: refused at install, settled by path order without.
//!
//! A test binary of its own: no configuration can be installed beside such functions.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use resilient_runtime::{Fault, configure, registry, timeout};
use tokio::time::Instant;

#[timeout("1s", name = "disputed")]
async fn first() -> Result<(), Fault<()>> {
    std::future::pending().await
}

#[timeout("2s", name = "disputed")]
async fn second() -> Result<(), Fault<()>> {
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn the_first_by_path_holds_whoever_is_called_first() {
    let start = Instant::now();
    second().await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_secs(1));
    first().await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_secs(2));
}

#[tokio::test]
async fn install_refuses_and_names_both() {
    let error = configure().install().unwrap_err();
    let [fault] = error.faults() else { panic!("{error}") };
    assert_eq!((fault.stem, fault.name, fault.key), ("timeout", "disputed", Some("limit")));
    let text = fault.to_string();
    for part in ["\"1s\"", "clashes::first", "\"2s\"", "clashes::second", "tests/clashes.rs:"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(registry().timeout("disputed").is_some());
}

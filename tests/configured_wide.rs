//! Long files: reading one takes a time in proportion to its length.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use resilient_runtime::{Fault, configure, retry};

/// Many times what it takes, and a small part of what comparing all with all would.
const ENOUGH: Duration = Duration::from_secs(10);

#[retry(max = 2, base = "0s", name = "w0")]
async fn call() -> Result<u32, Fault<&'static str>> {
    Ok(1)
}

#[tokio::test]
async fn many_sections_are_read_in_time() {
    let mut text = "[resilient]\non_unknown_policy = \"warn\"\n".to_owned();
    (0..5_000).for_each(|i| writeln!(text, "[retry.w{i}]\nmax = 3").unwrap());
    let began = Instant::now();
    configure().text("wide.toml", &text).install().unwrap();
    assert!(began.elapsed() < ENOUGH, "{:?}", began.elapsed());
    call().await.unwrap();
}

#[tokio::test]
async fn long_chains_are_followed_in_time() {
    let mut text = String::new();
    (0..3_000).for_each(|i| writeln!(text, "[retry.w{i}]\nextends = \"w{}\"", i + 1).unwrap());
    let began = Instant::now();
    let whole = format!("{text}[retry.w3000]\nmax = 3\n");
    configure().text("chain.toml", &whole).install().unwrap();
    let round = format!("{text}[retry.w3000]\nextends = \"w1000\"\n");
    let error = configure().text("round.toml", &round).install().unwrap_err();
    assert_eq!(error.faults().len(), 1, "{error}");
    assert!(began.elapsed() < ENOUGH, "{:?}", began.elapsed());
}

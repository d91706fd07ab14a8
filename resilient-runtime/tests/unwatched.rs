//! Nothing is watched before it is asked for, nor after.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{listen, spans};
use resilient_runtime::{Fault, configure, registry, timeout};

#[timeout("1s")]
async fn quote() -> Result<(), Fault<()>> {
    Ok(())
}

#[tokio::test]
async fn calls_are_watched_from_one_installation_to_the_next() {
    listen();
    quote().await.unwrap();
    assert_eq!((spans().len(), registry().latencies().len()), (0, 0));
    configure().spans(true).latency_of("unwatched::quote", true).install().unwrap();
    quote().await.unwrap();
    assert_eq!((spans().len(), registry().latency("unwatched::quote").unwrap().all().count()), (2, 1));
    configure().install().unwrap();
    quote().await.unwrap();
    assert_eq!((spans().len(), registry().latencies().len()), (2, 0));
}

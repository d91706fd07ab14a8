//! Two annotated checks of one name: nothing starts and nothing is installed.
//!
//! A test binary of its own: no check can be started beside such functions.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use resilient_runtime::{ConfigFault, HealthStatus, configure, health, health_check};

#[health_check(name = "disputed", critical)]
async fn first() -> Result<(), ()> {
    std::future::ready(Ok(())).await
}

#[health_check(name = "disputed", interval = "1s")]
async fn second() -> Result<(), ()> {
    std::future::ready(Ok(())).await
}

#[health_check(name = "clear")]
async fn third() -> Result<(), ()> {
    std::future::ready(Ok(())).await
}

#[track_caller]
fn names_both(faults: &[ConfigFault]) {
    let [fault] = faults else { panic!("{faults:?}") };
    assert_eq!((fault.stem, fault.name, fault.key), ("health_check", "disputed", None));
    let text = fault.to_string();
    for part in ["two checks", "health_names::first", "health_names::second", "tests/health_names.rs:11"] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_checks_of_one_name_do_not_start() {
    let error = health().start().unwrap_err();
    names_both(error.faults());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(health().ready().status, HealthStatus::Unknown);
    assert!(first().await.is_ok() && second().await.is_ok() && third().await.is_ok());
}

#[tokio::test]
async fn install_refuses_and_names_both() {
    names_both(configure().install().unwrap_err().faults());
}

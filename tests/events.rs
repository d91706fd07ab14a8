//! What subscribers are told.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use resilient_runtime::{CircuitCause, CircuitState, EventKind, Fault, circuit_breaker, registry, subscribe};

#[circuit_breaker(name = "payments", failure_threshold = 3, reset_timeout = "5s")]
async fn pay(ok: bool) -> Result<(), Fault<&'static str>> {
    if ok { Ok(()) } else { Err(Fault::Failed("card 4111 declined")) }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_sees_transitions_with_cause_and_figures() {
    let mut events = subscribe();
    for _ in 0..3 {
        pay(false).await.unwrap_err();
    }
    let event = events.recv().await.unwrap();
    assert_eq!((event.stem, event.policy, event.kind.as_str()), ("circuit_breaker", "payments", "opened"));
    let EventKind::StateChanged { from, to, cause, failures, open_for, .. } = event.kind else {
        panic!("{event:?}")
    };
    assert_eq!((from, to, cause), (CircuitState::Closed, CircuitState::Open, CircuitCause::FailureThreshold));
    assert_eq!((failures, open_for), (3, Some(Duration::from_secs(5))));
}

#[tokio::test(start_paused = true)]
async fn an_event_and_a_refusal_read_well() {
    let mut events = subscribe();
    let breaker = registry().circuit_breaker("payments").unwrap();
    breaker.force_open();
    let forced = events.recv().await.unwrap().kind.to_string();
    assert!(!forced.contains("calls failed"), "no calls, no figures: {forced}");
    breaker.resume();

    for _ in 0..3 {
        pay(false).await.unwrap_err();
    }
    tokio::time::advance(Duration::from_nanos(1_234_567_891)).await;
    let refused = pay(true).await.unwrap_err().to_string();
    assert_eq!(refused, "circuit breaker `payments` is open, try again in 3.766s");
}

#[tokio::test(start_paused = true)]
async fn a_slow_subscriber_learns_how_much_it_missed_and_goes_on() {
    let mut events = subscribe();
    registry().circuit_breaker("payments").unwrap().force_open();
    let (mut told, mut missed) = (Vec::new(), 0);
    for _ in 0..3 {
        for _ in 0..2_000 {
            pay(true).await.unwrap_err();
        }
        missed += events.recv().await.unwrap_err().events;
        told.push(events.recv().await.unwrap());
    }
    while let Ok(event) = tokio::time::timeout(Duration::ZERO, events.recv()).await {
        told.push(event.unwrap());
    }
    assert_eq!(missed + told.len() as u64, 1 + 3 * 2_000);
    let gaps: u64 = told.windows(2).map(|two| two[1].seq - two[0].seq - 1).sum();
    assert_eq!(told[0].seq - 1 + gaps, missed, "the numbers tell the same");
    assert_eq!(told.last().unwrap().seq, 1 + 3 * 2_000);
}

#[tokio::test(start_paused = true)]
async fn subscribers_of_one_runtime_hear_nothing_of_another() {
    let mut ours = subscribe();
    let other = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut theirs = subscribe();
            registry().circuit_breaker("payments").unwrap().force_open();
            theirs.recv().await.unwrap().kind.as_str()
        })
    });
    assert_eq!(other.join().unwrap(), "forced_open");
    let none = tokio::time::timeout(Duration::from_secs(1), ours.recv()).await;
    assert!(none.is_err(), "{none:?}");
}

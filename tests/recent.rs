//! The last events of each policy.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use resilient_runtime::{
    CircuitBreaker, EventKind, Fault, Recent, circuit_breaker, configure, registry, retry, subscribe,
    test_util, timeout,
};

#[circuit_breaker(name = "payments", failure_threshold = 1, reset_timeout = "5s")]
async fn pay(ok: bool) -> Result<(), Fault<&'static str>> {
    if ok { Ok(()) } else { Err(Fault::Failed("down")) }
}

#[circuit_breaker(name = "tenants", failure_threshold = 1, key = tenant)]
async fn per_tenant(tenant: u64) -> Result<(), Fault<u64>> {
    Err(Fault::Failed(tenant))
}

#[timeout("1s", name = "each")]
async fn slow() -> Result<(), Fault<&'static str>> {
    std::future::pending().await
}

#[retry(max = 2, base = "0s", name = "twice", budget = "none")]
async fn fails() -> Result<(), &'static str> {
    Err("down")
}

fn words(recent: &Recent) -> Vec<&'static str> {
    recent.events.iter().map(|event| event.kind.as_str()).collect()
}

fn of(stem: &str, name: &str) -> Recent {
    registry().recent(stem, name).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_policys_changes_are_remembered_and_its_refusals_are_counted() {
    assert!(registry().recent("circuit_breaker", "payments").is_none(), "nothing has happened");
    pay(true).await.unwrap();
    assert!(registry().recent("circuit_breaker", "payments").is_none(), "nor does it with a success");
    pay(false).await.unwrap_err();
    for _ in 0..1_000 {
        pay(true).await.unwrap_err();
    }
    tokio::time::advance(Duration::from_secs(5)).await;
    for _ in 0..2 {
        pay(true).await.unwrap();
    }
    let recent = of("circuit_breaker", "payments");
    assert_eq!(words(&recent), ["opened", "half_opened", "closed"]);
    assert_eq!((recent.stem, recent.policy, recent.forgotten), ("circuit_breaker", "payments", 0));
    assert!(recent.events.is_sorted_by(|a, b| a.seq < b.seq && a.at <= b.at));
    assert_eq!(registry().circuit_breaker("payments").unwrap().snapshot().rejected, 1_000);
}

#[tokio::test(start_paused = true)]
async fn each_policy_has_a_memory_of_its_own() {
    pay(false).await.unwrap_err();
    slow().await.unwrap_err();
    fails().await.unwrap_err();
    let all = registry().all_recent();
    let told: Vec<_> = all.iter().map(|recent| (recent.stem, recent.policy, words(recent))).collect();
    assert_eq!(
        told,
        [
            ("circuit_breaker", "payments", vec!["opened"]),
            ("retry", "twice", vec!["exhausted"]),
            ("timeout", "each", vec!["timed_out"]),
        ]
    );
    let mut merged: Vec<_> = all.into_iter().flat_map(|recent| recent.events).collect();
    merged.sort_by_key(|event| event.seq);
    let order: Vec<_> = merged.iter().map(|event| event.policy).collect();
    assert_eq!(order, ["payments", "each", "twice"]);
}

#[tokio::test(start_paused = true)]
async fn the_oldest_go_first_and_a_reader_learns_how_many_it_missed() {
    let breaker = registry().circuit_breaker("payments").unwrap();
    let flap = |times| {
        for _ in 0..times {
            breaker.force_open();
            breaker.resume();
        }
    };
    flap(10);
    let first = of("circuit_breaker", "payments");
    assert_eq!((first.events.len(), first.forgotten, first.total()), (20, 0, 20));
    flap(30);
    let second = of("circuit_breaker", "payments");
    let (new, missed) = second.since(first.total());
    assert_eq!((new.len(), missed, new[0].seq), (60, 0, 21));
    flap(100);
    let third = of("circuit_breaker", "payments");
    assert_eq!((third.events.len(), third.forgotten), (100, 180));
    let (new, missed) = third.since(second.total());
    assert_eq!((new.len(), missed), (100, 100));
    assert_eq!((third.since(u64::MAX).0.len(), third.since(u64::MAX).1), (0, 0));
    assert_eq!(third.since(third.total()).0.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_number_remembered_is_a_setting_that_holds_at_once() {
    let breaker = registry().circuit_breaker("payments").unwrap();
    let flap = |times| {
        for _ in 0..times {
            breaker.force_open();
            breaker.resume();
        }
    };
    flap(50);
    configure().recent(3).install().unwrap();
    let recent = of("circuit_breaker", "payments");
    assert_eq!((recent.events.len(), recent.forgotten), (3, 97));
    flap(1);
    assert_eq!((of("circuit_breaker", "payments").events.len(), recent.total()), (3, 100));
    configure().recent(0).install().unwrap();
    flap(1);
    assert_eq!(of("circuit_breaker", "payments").events.len(), 0, "off");
    configure().install().unwrap();
    flap(1);
    assert_eq!(of("circuit_breaker", "payments").events.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_can_be_chosen() {
    configure().remember("rejected", true).remember("opened", false).install().unwrap();
    pay(false).await.unwrap_err();
    for _ in 0..150 {
        pay(true).await.unwrap_err();
    }
    let recent = of("circuit_breaker", "payments");
    assert_eq!((recent.events.len(), recent.forgotten), (100, 50));
    assert!(recent.events.iter().all(|event| matches!(event.kind, EventKind::Rejected { .. })));
}

#[tokio::test(start_paused = true)]
async fn the_keys_of_a_policy_share_one_memory_and_are_told_apart() {
    for tenant in 0..1_000 {
        per_tenant(tenant).await.unwrap_err();
    }
    let recent = of("circuit_breaker", "tenants");
    assert_eq!((recent.events.len(), recent.forgotten), (100, 900));
    assert_eq!(recent.events[99].key.as_deref(), Some("999"));
}

#[tokio::test]
async fn policies_without_end_have_no_memories_without_end() {
    for n in 0..2_000 {
        CircuitBreaker::new(format!("made by hand {n}").leak()).force_open();
    }
    assert_eq!(registry().all_recent().len(), 1_024);
    assert!(registry().recent("circuit_breaker", "made by hand 0").is_some());
    assert!(registry().recent("circuit_breaker", "made by hand 1999").is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_remembered_and_what_is_told_have_the_same_numbers() {
    let mut events = subscribe();
    let recorder = test_util::record();
    pay(false).await.unwrap_err();
    pay(true).await.unwrap_err();
    registry().circuit_breaker("payments").unwrap().force_open();
    let told: Vec<_> = [events.recv().await, events.recv().await, events.recv().await]
        .map(|event| event.unwrap())
        .iter()
        .map(|event| (event.seq, event.kind.as_str()))
        .collect();
    assert_eq!(told, [(1, "opened"), (2, "rejected"), (3, "forced_open")]);
    let kept: Vec<_> = of("circuit_breaker", "payments").events.iter().map(|event| event.seq).collect();
    assert_eq!(kept, [1, 3]);
    assert_eq!(recorder.events().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn another_runtime_remembers_nothing_of_ours() {
    pay(false).await.unwrap_err();
    let other = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async { registry().all_recent().len() })
    });
    assert_eq!(other.join().unwrap(), 0);
}

#[test]
fn many_threads_lose_no_event_and_their_numbers_grow() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    runtime.block_on(async {
        configure().recent(10_000).install().unwrap();
        let force = async || (0..1_000).for_each(|_| CircuitBreaker::new("shared").force_open());
        let forcing: Vec<_> = (0..4).map(|_| tokio::spawn(force())).collect();
        for forcing in forcing {
            forcing.await.unwrap();
        }
        let recent = of("circuit_breaker", "shared");
        assert_eq!((recent.events.len(), recent.forgotten), (4 * 1_000, 0));
        assert!(recent.events.is_sorted_by(|a, b| a.seq < b.seq));
    });
}

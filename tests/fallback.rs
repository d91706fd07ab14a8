//! `#[fallback]`: another answer when the first fails.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    clippy::unused_async,
    reason = "a fallback has the signature it has to have"
)]

use std::cell::Cell;
use std::time::Duration;

use resilient_runtime::{
    Class, Classify, FallbackSnapshot, Fault, Rejected, Snapshot, attempt, circuit_breaker, configure,
    fallback, registry, retry, test_util, timeout,
};

#[derive(Clone, Debug, PartialEq, Classify)]
enum CardError {
    #[transient]
    Down,
    #[permanent]
    Declined,
    #[ignored]
    Cancelled,
    Odd,
}

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

fn called() -> u32 {
    CALLS.set(CALLS.get() + 1);
    CALLS.get()
}

fn snapshot(name: &str) -> FallbackSnapshot {
    let Some(Snapshot::Fallback(fallback)) = registry().snapshot("fallback", name) else { panic!() };
    fallback
}

#[fallback(fn = stored)]
async fn charge(outcome: Result<u32, CardError>) -> Result<u32, CardError> {
    outcome
}

fn stored(outcome: Result<u32, CardError>) -> Result<u32, CardError> {
    called();
    assert!(outcome.is_err(), "it gets the arguments");
    Ok(7)
}

#[tokio::test]
async fn a_success_needs_no_fallback() {
    assert_eq!(charge(Ok(1)).await, Ok(1));
    assert_eq!(CALLS.get(), 0);
}

#[tokio::test]
async fn an_outage_falls_back_and_an_answer_is_passed_on() {
    assert_eq!(charge(Err(CardError::Down)).await, Ok(7));
    assert_eq!(charge(Err(CardError::Odd)).await, Ok(7));
    assert_eq!(charge(Err(CardError::Declined)).await, Err(CardError::Declined));
    assert_eq!(charge(Err(CardError::Cancelled)).await, Err(CardError::Cancelled));
    let counted = snapshot("fallback::charge");
    assert_eq!((counted.served, counted.failed, counted.passed_on), (2, 0, 2));
}

#[tokio::test]
async fn a_predicate_decides_instead_of_the_class() {
    #[fallback(value = 0, when = |error| *error == CardError::Declined)]
    async fn picky(error: CardError) -> Result<u32, CardError> {
        Err(error)
    }
    assert_eq!(picky(CardError::Declined).await, Ok(0));
    assert_eq!(picky(CardError::Down).await, Err(CardError::Down));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_always_falls_back_and_needs_no_conversion() {
    /// Neither `From<Rejected>` nor anything else.
    #[derive(Debug)]
    struct Bare;

    #[fallback(value = "late", when = |_| false)]
    #[circuit_breaker(name = "bare", failure_threshold = 1)]
    #[timeout("1s")]
    async fn slow() -> Result<&'static str, Bare> {
        std::future::pending().await
    }
    assert_eq!(slow().await.unwrap(), "late");
    assert_eq!(slow().await.unwrap(), "late", "refused by the breaker");
}

#[tokio::test]
async fn a_value_is_evaluated_only_when_used() {
    #[fallback(value = called())]
    async fn lazy(ok: bool) -> Result<u32, Fault<()>> {
        if ok { Ok(0) } else { Err(Fault::Failed(())) }
    }
    assert_eq!((lazy(true).await, CALLS.get()), (Ok(0), 0));
    assert_eq!((lazy(false).await, CALLS.get()), (Ok(1), 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_gets_the_final_error_and_chosen_arguments() {
    #[fallback(fn = explain(name.len(), err))]
    #[timeout("1s", name = "explained")]
    async fn explained(name: String, slow: bool) -> Result<String, Fault<String>> {
        if slow {
            std::future::pending::<()>().await;
        }
        Err(Fault::Failed(name))
    }
    async fn explain(length: usize, error: Fault<String>) -> Result<String, Fault<String>> {
        Ok(format!("{length}: {error}"))
    }
    assert_eq!(explained("tea".into(), false).await.unwrap(), "3: tea");
    assert_eq!(explained("tea".into(), true).await.unwrap(), "3: `explained` timed out after 1s");
}

#[tokio::test]
async fn a_chain_goes_on_until_one_answers() {
    #[fallback(fn = [first, second(n), third])]
    async fn chained(n: u32) -> Result<u32, Fault<&'static str>> {
        Err(Fault::Failed("body"))
    }
    async fn first(_: u32) -> Result<u32, Fault<&'static str>> {
        called();
        Err(Fault::Failed("first"))
    }
    fn second(n: u32) -> Result<u32, Fault<&'static str>> {
        called();
        if n > 1 { Ok(n) } else { Err(Fault::Failed("second")) }
    }
    async fn third(n: u32) -> Result<u32, Fault<&'static str>> {
        called();
        if n > 0 { Ok(n) } else { Err(Fault::Failed("third")) }
    }
    assert_eq!((chained(2).await, CALLS.get()), (Ok(2), 2));
    assert_eq!((chained(1).await, CALLS.get()), (Ok(1), 5));
    assert_eq!((chained(0).await, CALLS.get()), (Err(Fault::Failed("third")), 8), "the last error");
}

struct Shop {
    sold: u32,
}

impl Shop {
    #[fallback(fn = Self::shut)]
    #[retry(max = 2, base = "0s")]
    async fn sell(&mut self, units: u32, to: &str) -> Result<String, Fault<()>> {
        self.sold += units;
        if to.is_empty() { Err(Fault::Failed(())) } else { Ok(format!("{to} bought {units}")) }
    }

    async fn shut(&mut self, units: u32, _to: &str) -> Result<String, Fault<()>> {
        self.sold -= units;
        Ok(format!("{} sold so far", self.sold))
    }
}

#[tokio::test]
async fn a_method_falls_back_to_one_of_its_own_type() {
    let mut shop = Shop { sold: 0 };
    assert_eq!(shop.sell(3, "Ann").await.unwrap(), "Ann bought 3");
    assert_eq!(shop.sell(2, "").await.unwrap(), "5 sold so far", "two attempts, one taken back");
}

#[derive(Debug)]
struct Counted(u32);

impl Clone for Counted {
    fn clone(&self) -> Self {
        called();
        Self(self.0)
    }
}

#[tokio::test]
async fn the_fallback_gets_the_original_and_each_attempt_a_copy() {
    #[fallback(fn = keep)]
    #[retry(max = 3, base = "0s")]
    async fn spend(item: Counted) -> Result<Counted, Fault<()>> {
        let Counted(_spent) = item;
        Err(Fault::Failed(()))
    }
    fn keep(item: Counted) -> Result<Counted, Fault<()>> {
        Ok(item)
    }
    assert_eq!(spend(Counted(4)).await.unwrap().0, 4);
    assert_eq!(CALLS.get(), 3, "one copy an attempt");
}

#[tokio::test]
async fn nothing_is_copied_that_only_the_fallback_uses() {
    #[fallback(fn = keep)]
    async fn ignore(_item: Counted, n: u32) -> Result<u32, Fault<()>> {
        if n == 0 { Err(Fault::Failed(())) } else { Ok(n) }
    }
    fn keep(item: Counted, _: u32) -> Result<u32, Fault<()>> {
        Ok(item.0)
    }
    assert_eq!((ignore(Counted(4), 0).await, CALLS.get()), (Ok(4), 0));
}

#[tokio::test(start_paused = true)]
async fn the_fallback_runs_outside_the_policies_below_it() {
    #[fallback(fn = slow)]
    #[timeout("1s")]
    async fn never() -> Result<u32, Fault<()>> {
        std::future::pending().await
    }
    async fn slow() -> Result<u32, Fault<()>> {
        assert_eq!(resilient_runtime::deadline(), None);
        tokio::time::sleep(Duration::from_secs(60)).await;
        Ok(1)
    }
    assert_eq!(never().await, Ok(1));
}

#[tokio::test]
async fn a_fallback_that_fails_is_the_answer_and_is_counted() {
    #[fallback(fn = broken)]
    async fn fails() -> Result<(), Fault<&'static str>> {
        Err(Fault::Failed("body"))
    }
    async fn broken() -> Result<(), Fault<&'static str>> {
        Err(Fault::Failed("fallback"))
    }
    let events = test_util::record();
    assert_eq!(fails().await, Err(Fault::Failed("fallback")));
    assert_eq!(events.words(snapshot_name()), ["fell_back"]);
    let counted = snapshot(snapshot_name());
    assert_eq!((counted.served, counted.failed), (0, 1));
}

const fn snapshot_name() -> &'static str {
    "fallback::a_fallback_that_fails_is_the_answer_and_is_counted::fails"
}

#[tokio::test]
async fn a_refusal_inside_the_users_error_falls_back_too() {
    #[derive(Debug)]
    struct Wrapped(Rejected);

    impl Classify for Wrapped {
        fn classify(&self) -> Class {
            Class::Permanent
        }

        fn rejected(&self) -> Option<&Rejected> {
            Some(&self.0)
        }
    }

    #[fallback(value = 1)]
    async fn wraps() -> Result<u32, Wrapped> {
        Err(Wrapped(Rejected::BulkheadFull { name: "reports" }))
    }
    assert_eq!(wraps().await.unwrap(), 1);
}

mod cached {
    use super::*;

    type Answer = Result<u32, Fault<Told>>;

    #[derive(Clone, Debug, PartialEq)]
    struct Told(Class);

    impl Classify for Told {
        fn classify(&self) -> Class {
            self.0
        }
    }

    fn told(end: Result<u32, Class>) -> Answer {
        end.map_err(|class| Fault::Failed(Told(class)))
    }

    const DOWN: Result<u32, Class> = Err(Class::Transient);

    fn counts(name: &str) -> (u64, u64, u64, u64) {
        let seen = snapshot(name);
        (seen.served, seen.failed, seen.passed_on, seen.entries)
    }

    #[fallback(cached, key = sku, name = "last")]
    async fn last(sku: &str, end: Result<u32, Class>) -> Answer {
        tokio::task::yield_now().await;
        assert!(!sku.is_empty());
        told(end)
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_good_value_of_the_same_key_is_the_answer() {
        assert_eq!(last("tea", DOWN).await, told(DOWN));
        assert_eq!((last("tea", Ok(1)).await, last("tea", Ok(2)).await), (Ok(1), Ok(2)));
        assert_eq!((last("tea", DOWN).await, last("milk", DOWN).await), (Ok(2), told(DOWN)));
        tokio::time::advance(Duration::from_secs(10_000_000)).await;
        assert_eq!(last("tea", DOWN).await, Ok(2));
        assert_eq!(counts("last"), (2, 2, 0, 1));
        assert!(registry().reset("fallback", "last"));
        assert_eq!((last("tea", DOWN).await, counts("last")), (told(DOWN), (0, 1, 0, 0)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_is_an_answer_is_passed_on_and_makes_it_forget() {
        assert_eq!(last("tea", Ok(1)).await, Ok(1));
        assert_eq!(last("tea", Err(Class::Ignored)).await, told(Err(Class::Ignored)));
        assert_eq!(last("tea", DOWN).await, Ok(1));
        assert_eq!(last("tea", Err(Class::Permanent)).await, told(Err(Class::Permanent)));
        assert_eq!(last("tea", DOWN).await, told(DOWN));
        assert_eq!(counts("last"), (1, 1, 2, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn answers_for_other_keys_leave_a_value_that_is_on_its_way_alone() {
        #[fallback(cached, key = id)]
        async fn slow(id: u32, end: Result<u32, Class>) -> Answer {
            if end.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            told(end)
        }
        let known = tokio::spawn(slow(0, Ok(7)));
        tokio::task::yield_now().await;
        for unknown in 1..=1_000 {
            assert!(slow(unknown, Err(Class::Permanent)).await.is_err());
        }
        assert_eq!((known.await.unwrap(), slow(0, DOWN).await), (Ok(7), Ok(7)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_answered_too() {
        #[fallback(cached)]
        #[circuit_breaker(name = "refuses the last")]
        async fn refused(sku: String) -> Answer {
            Ok(u32::try_from(sku.len()).unwrap())
        }
        assert_eq!(refused("tea".into()).await, Ok(3));
        registry().circuit_breaker("refuses the last").unwrap().force_open();
        assert_eq!(refused("tea".into()).await, Ok(3));
        assert!(refused("milk".into()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_predicate_decides_in_place_of_the_class() {
        #[fallback(cached, key = (), when = |error| *error == Fault::Failed(Told(Class::Permanent)))]
        async fn picky(end: Result<u32, Class>) -> Answer {
            told(end)
        }
        assert_eq!(picky(Ok(1)).await, Ok(1));
        assert_eq!(picky(DOWN).await, told(DOWN));
        assert_eq!(picky(Err(Class::Permanent)).await, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_too_old_is_no_answer() {
        #[fallback(cached, key = (), max_age = "10s", name = "aging")]
        async fn aging(end: Result<u32, Class>) -> Answer {
            told(end)
        }
        assert_eq!(aging(Ok(1)).await, Ok(1));
        tokio::time::advance(Duration::from_millis(9_999)).await;
        assert_eq!(aging(DOWN).await, Ok(1));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(aging(DOWN).await, told(DOWN));
        configure().fallback("aging", |aging| aging.max_age(Duration::from_secs(60))).install().unwrap();
        assert_eq!(aging(DOWN).await, Ok(1));
        let refused = configure().fallback("aging", |aging| aging.max_age(Duration::ZERO)).install();
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("fallback.aging.max_age: 0ns is too short"), "{refused}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_keys_stays_within_the_bound() {
        #[fallback(cached, key = id, max_entries = 10, name = "floods")]
        async fn floods(id: u32) -> Answer {
            Ok(id)
        }
        for id in 0..1_000 {
            assert_eq!(floods(id).await, Ok(id));
        }
        assert_eq!(counts("floods").3, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn every_attempt_of_a_retry_below_comes_first() {
        #[fallback(cached, key = ())]
        #[retry(max = 3, base = "1s", jitter = "none")]
        async fn retried(ok_at: u32, body: String) -> Answer {
            if attempt() == ok_at { Ok(u32::try_from(body.len()).unwrap()) } else { told(DOWN) }
        }
        assert_eq!(retried(3, "tea".into()).await, Ok(3));
        assert_eq!(retried(9, "milk".into()).await, Ok(3));
    }

    struct Shop {
        tenant: u32,
        loads: u32,
    }

    impl Shop {
        #[fallback(cached, key = self.tenant)]
        async fn load(&mut self, end: Result<u32, Class>) -> Answer {
            self.loads += 1;
            told(end)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_method_names_its_key() {
        let (mut one, mut two) = (Shop { tenant: 1, loads: 0 }, Shop { tenant: 2, loads: 0 });
        assert_eq!(one.load(Ok(1)).await, Ok(1));
        assert_eq!((one.load(DOWN).await, two.load(DOWN).await), (Ok(1), told(DOWN)));
        assert_eq!((one.loads, two.loads), (2, 1));
    }
}

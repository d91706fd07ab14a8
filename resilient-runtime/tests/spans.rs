//! Spans of calls and attempts.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the guarded code of users sleeps")]
#![expect(clippy::items_after_statements, reason = "a test begins to listen before all else")]

mod common;

use std::fmt::{self, Display};
use std::future::Future;
use std::pin::pin;
use std::sync::Once;
use std::task::{Context, Waker};
use std::time::Duration;

use common::{Opened, entered, said, spans};
use resilient_runtime::{
    Class, Classify, Fault, Rejected, attempt, bulkhead, circuit_breaker, configure, fallback, hedge,
    registry, retry, timeout,
};

#[derive(Debug)]
struct Secret(&'static str);

impl Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Secret {}

impl Classify for Secret {
    fn classify(&self) -> Class {
        Class::Transient
    }
}

impl From<Rejected> for Secret {
    fn from(_: Rejected) -> Self {
        Self("refused")
    }
}

/// Switches spans on, for all tests of this program.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| configure().spans(true).install().unwrap());
    common::listen();
}

/// The only call, and its attempts.
fn one() -> (Opened, Vec<Opened>) {
    let spans = spans();
    let calls: Vec<_> = spans.iter().filter(|span| span.name == "resilient.call").collect();
    assert_eq!(calls.len(), 1, "{spans:?}");
    let attempts: Vec<_> = spans.iter().filter(|span| span.name == "resilient.attempt").cloned().collect();
    assert!(attempts.iter().all(|attempt| attempt.closed < calls[0].closed), "{spans:?}");
    (calls[0].clone(), attempts)
}

fn outcomes(attempts: &[Opened]) -> Vec<&str> {
    attempts.iter().map(Opened::outcome).collect()
}

fn numbers(attempts: &[Opened]) -> Vec<Option<&str>> {
    attempts.iter().map(|attempt| attempt.get("resilience.attempt")).collect()
}

#[retry(max = 3, base = "1s", name = "third time")]
async fn third_time(card: &str) -> Result<String, Secret> {
    let span = tracing::info_span!("query");
    let _query = span.enter();
    tracing::info!("asked");
    if attempt() < 3 { Err(Secret("card 4111 declined")) } else { Ok(card.to_owned()) }
}

#[tokio::test(start_paused = true)]
async fn a_call_has_a_span_and_each_attempt_one_inside() {
    listen();
    third_time("4111").await.unwrap();
    let (call, attempts) = one();
    assert_eq!(call.get("otel.name"), Some("spans::third_time"));
    assert_eq!(call.get("resilience.function"), Some("spans::third_time"));
    assert_eq!((call.outcome(), call.get("error.type"), call.get("otel.status_code")), ("ok", None, None));
    assert_eq!(outcomes(&attempts), ["error", "error", "ok"]);
    assert_eq!(numbers(&attempts), [None, Some("2"), Some("3")], "as a count of resends");
    assert_eq!(attempts[0].get("error.type"), Some("transient"));
    assert_eq!(attempts[0].get("otel.status_code"), Some("ERROR"));
    let all = spans();
    let at = |name: &'static str| all.iter().enumerate().filter(move |(_, span)| span.name == name);
    assert!(at("resilient.attempt").all(|(_, span)| span.parent == Some(0)));
    let parents: Vec<_> = at("query").map(|(_, span)| all[span.parent.unwrap()].name).collect();
    assert_eq!(parents, ["resilient.attempt"; 3], "what the body opens lies within its attempt");
}

#[tokio::test(start_paused = true)]
async fn nothing_of_arguments_results_and_errors_is_told() {
    listen();
    third_time("4111").await.unwrap();
    #[timeout("1s")]
    async fn fails(card: &str) -> Result<(), Secret> {
        if card.is_empty() { Ok(()) } else { Err(Secret("card 4111 declined")) }
    }
    fails("4111").await.unwrap_err();
    let told = format!("{:?} {:?} {:?}", spans(), said(), registry().all_recent());
    assert!(told.contains("transient") && !told.contains("4111"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_span_is_entered_only_while_its_call_is_polled() {
    listen();
    #[timeout("1s")]
    async fn pends() -> Result<(), Secret> {
        assert_eq!(entered(), 2);
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(entered(), 2);
        Ok(())
    }
    let mut call = pin!(pends());
    assert_eq!(spans().len(), 0, "nothing has begun");
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!((entered(), spans().len()), (0, 2));
    call.await.unwrap();
    assert_eq!(entered(), 0);
    assert_eq!(one().0.outcome(), "ok");
}

struct SaysGoodbye;

impl Drop for SaysGoodbye {
    fn drop(&mut self) {
        tracing::info!("goodbye");
    }
}

#[timeout("1s", name = "stuck")]
async fn stuck() -> Result<(), Secret> {
    let _held = SaysGoodbye;
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_closes_its_spans_as_abandoned() {
    listen();
    {
        let mut call = pin!(stuck());
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let (call, attempts) = one();
    assert_eq!((call.outcome(), call.get("error.type")), ("abandoned", None));
    assert_eq!(outcomes(&attempts), ["abandoned"]);
    assert_eq!(said()[0].0, Some(1), "what is dropped is dropped within its attempt");
    drop(stuck());
    assert_eq!(spans().len(), 2, "a call that never began has no span");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_times_out_abandons_its_attempt() {
    listen();
    stuck().await.unwrap_err();
    let (call, attempts) = one();
    assert_eq!((call.outcome(), call.get("error.type")), ("timed_out", Some("timed_out")));
    assert_eq!((outcomes(&attempts), said()[0].0), (vec!["abandoned"], Some(1)));
}

#[tokio::test]
async fn a_call_that_panics_closes_its_spans() {
    listen();
    #[timeout("1s")]
    async fn panics() -> Result<(), Secret> {
        tokio::task::yield_now().await;
        panic!("card 4111")
    }
    let panicked = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(panics())).await;
    panicked.unwrap_err();
    let (call, attempts) = one();
    assert_eq!((call.outcome(), call.get("error.type")), ("panicked", Some("panic")));
    assert_eq!((outcomes(&attempts), entered()), (vec!["panicked"], 0));
}

#[tokio::test]
async fn a_refused_call_makes_no_attempt() {
    listen();
    #[circuit_breaker(name = "shut", failure_threshold = 1)]
    async fn shut() -> Result<(), Fault<&'static str>> {
        Ok(())
    }
    registry().circuit_breaker("shut").unwrap().force_open();
    shut().await.unwrap_err();
    let (call, attempts) = one();
    assert_eq!((call.outcome(), call.get("error.type")), ("rejected", Some("circuit_open")));
    assert_eq!(attempts.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn hedged_attempts_lie_side_by_side() {
    listen();
    #[hedge(after = "10ms", budget = "none")]
    async fn search(times: Vec<u64>) -> Result<u32, Secret> {
        tokio::time::sleep(Duration::from_millis(times[attempt() as usize - 1])).await;
        Ok(attempt())
    }
    assert_eq!(search(vec![100, 20]).await.unwrap(), 2);
    let (call, attempts) = one();
    assert_eq!(call.outcome(), "ok");
    assert_eq!(outcomes(&attempts), ["abandoned", "ok"]);
    assert_eq!(numbers(&attempts), [None, Some("2")]);
}

#[tokio::test]
async fn a_fallbacks_answer_is_an_answer_and_may_fail_itself() {
    listen();
    async fn last_known(fails: bool) -> Result<String, Secret> {
        tokio::task::yield_now().await;
        if fails { Err(Secret("none")) } else { Ok("yesterday's".to_owned()) }
    }
    #[fallback(fn = [last_known, last_known])]
    #[retry(max = 2, base = "0s")]
    async fn price(fails: bool) -> Result<String, Secret> {
        let _ = fails;
        Err(Secret("down"))
    }
    #[fallback(value = "nothing".to_owned())]
    async fn or_value() -> Result<String, Secret> {
        Err(Secret("down"))?
    }
    price(false).await.unwrap();
    let (call, attempts) = one();
    assert_eq!((call.outcome(), outcomes(&attempts)), ("ok", vec!["error", "error"]));
    common::listen();
    price(true).await.unwrap_err();
    assert_eq!(one().0.outcome(), "error");
    assert_eq!(or_value().await.unwrap(), "nothing");
}

#[async_trait::async_trait]
trait Shop: Sync {
    async fn quote(&mut self, sku: String) -> Result<String, Secret>;
}

struct Corner {
    asked: u32,
}

#[async_trait::async_trait]
impl Shop for Corner {
    #[retry(max = 2, base = "0s")]
    #[bulkhead(name = "corner", max_concurrent = 2)]
    async fn quote(&mut self, sku: String) -> Result<String, Secret> {
        self.asked += 1;
        tokio::task::yield_now().await;
        if self.asked == 1 { Err(Secret("closed")) } else { Ok(sku) }
    }
}

impl Corner {
    #[timeout("1s")]
    async fn ask<T: Display + Send + Sync>(&mut self, what: &T, twice: &mut u32) -> Result<String, Secret> {
        *twice += 2;
        self.asked += *twice;
        Ok(what.to_string())
    }

    #[retry(max = 2, base = "0s")]
    async fn all<'a>(&'a self, of: &'a [u32]) -> Result<impl Iterator<Item = u32> + use<'a>, Secret> {
        Ok(of.iter().copied().filter(|n| *n > self.asked))
    }
}

#[tokio::test]
async fn functions_of_any_shape_are_watched() {
    fn sends<T: Send>(future: T) -> T {
        future
    }
    listen();
    let mut corner = Corner { asked: 0 };
    assert_eq!(sends(Shop::quote(&mut corner, "tea".to_owned())).await.unwrap(), "tea");
    let (call, attempts) = one();
    assert_eq!(call.get("otel.name"), Some("spans::<Corner as Shop>::quote"));
    assert_eq!(outcomes(&attempts), ["error", "ok"]);
    let mut twice = 0;
    assert_eq!(sends(corner.ask(&7, &mut twice)).await.unwrap(), "7");
    assert_eq!((corner.asked, twice), (4, 2));
    assert_eq!(corner.all(&[4, 5]).await.unwrap().collect::<Vec<_>>(), [5]);
    assert_eq!(spans().iter().filter(|span| span.name == "resilient.call").count(), 3);
}

#[tokio::test]
async fn a_call_lies_within_whatever_is_open_around_it() {
    listen();
    let request = tracing::info_span!("request");
    let outer = tracing::Instrument::instrument(third_time_at_once(), request);
    outer.await.unwrap();
    let all = spans();
    let parents: Vec<_> = all.iter().map(|span| (span.name, span.parent)).collect();
    assert_eq!(
        parents,
        [
            ("request", None),
            ("resilient.call", Some(0)),
            ("resilient.attempt", Some(1)),
            ("resilient.call", Some(2)),
            ("resilient.attempt", Some(3)),
        ]
    );
}

#[timeout("1s")]
async fn third_time_at_once() -> Result<(), Secret> {
    #[timeout("1s")]
    async fn inner() -> Result<(), Secret> {
        Ok(())
    }
    inner().await
}

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use resilient_runtime::export::prometheus::{PolicyCollector, text};
use resilient_runtime::{Fault, registry, timeout};

use super::openmetrics::Scrape;
use super::{Answer, only, pay, whole_cycle};

#[timeout("1s", name = "quote \" backslash \\ line\nbrace } comma , \u{e9}")]
async fn named_at_will() -> Answer {
    Err(Fault::Failed("down"))
}

fn states(text: &str) -> Vec<(String, f64)> {
    let scrape = Scrape::of(text);
    let states = scrape.with(&["resilient_circuit_breaker_state{", r#"name="payments""#]);
    states.map(|(series, value)| (series.rsplit('"').nth(1).unwrap().to_owned(), value)).collect()
}

#[tokio::test(start_paused = true)]
async fn every_state_is_told_before_the_first_call_and_one_of_them_holds_at_a_time() {
    whole_cycle(|state| assert_eq!(states(&text()), only(state))).await;
}

#[tokio::test(start_paused = true)]
async fn a_cycle_is_told_as_it_was() {
    whole_cycle(|_| ()).await;
    let told = text();
    let of_interest = |line: &&str| line.starts_with('#') || line.contains(r#"{name="payments""#);
    let told: Vec<_> = told.lines().filter(of_interest).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn any_name_can_be_read_back() {
    named_at_will().await.unwrap_err();
    let scrape = Scrape::of(&text());
    let series = "resilient_timeout_calls_total{name=\"quote \" backslash \\ line\nbrace } comma , \u{e9}\",\
                  outcome=\"failed\"}";
    assert_eq!(scrape.get(series), Some(1.0));
}

#[tokio::test]
async fn all_families_say_what_they_are() {
    for (name, family) in Scrape::of(&text()).families {
        assert!(name.starts_with("resilient_"), "{name}");
        assert!(family.help.ends_with('.') && !family.help.contains(['\\', '\n']), "{name}: {}", family.help);
        assert_eq!(family.unit.is_some(), name.ends_with("_seconds"), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_collector_stands_beside_figures_of_the_users_own() {
    let mut metrics = Registry::with_prefix("shop");
    let orders = prometheus_client::metrics::counter::Counter::<u64>::default();
    metrics.register("orders", "Orders.", orders.clone());
    metrics.register_collector(Box::new(PolicyCollector::new(registry())));
    orders.inc();
    pay(&std::cell::Cell::new(1)).await.unwrap();
    let mut text = String::new();
    encode(&mut text, &metrics).unwrap();
    let scrape = Scrape::of(&text);
    assert_eq!(scrape.get("shop_orders_total"), Some(1.0));
    let calls = r#"shop_resilient_circuit_breaker_calls_total{name="payments",outcome="succeeded"}"#;
    assert_eq!(scrape.get(calls), Some(1.0));
}

#[tokio::test]
async fn a_collector_reads_the_policies_it_was_made_for_wherever_it_is_read() {
    let mut metrics = Registry::default();
    metrics.register_collector(Box::new(PolicyCollector::new(registry())));
    named_at_will().await.unwrap_err();
    let elsewhere = std::thread::spawn(move || {
        let mut theirs = String::new();
        encode(&mut theirs, &metrics).unwrap();
        (Scrape::of(&theirs), Scrape::of(&text()))
    });
    let (theirs, of_nobody) = elsewhere.join().unwrap();
    let failed = |scrape: &Scrape| {
        scrape.with(&["resilient_timeout_calls_total", "quote", "failed"]).map(|(_, n)| n).sum::<f64>()
    };
    assert_eq!((failed(&theirs), failed(&of_nobody)), (1.0, 0.0));
}

#[tokio::test(start_paused = true)]
async fn a_reset_takes_nothing_away_from_a_counter() {
    let calls = || {
        let scrape = Scrape::of(&text());
        let series = r#"{name="payments",outcome="#;
        scrape.with(&["_total", series]).map(|(name, value)| (name.to_owned(), value)).collect::<Vec<_>>()
    };
    whole_cycle(|_| ()).await;
    let before = calls();
    registry().reset_all();
    assert_eq!(registry().circuit_breaker("payments").unwrap().snapshot().failed, 0);
    assert_eq!(calls(), before);
    pay(&std::cell::Cell::new(1)).await.unwrap();
    let grown = calls().iter().zip(before).map(|(now, before)| now.1 - before.1).sum::<f64>();
    assert_eq!(grown.to_string(), "3", "a success each for the retry, the breaker and the timeout");
}

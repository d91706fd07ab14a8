use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use resilient_runtime::export::prometheus::{PolicyCollector, text};
use resilient_runtime::{Fault, circuit_breaker, registry, timeout};

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
    let samples: Vec<_> = told.lines().filter(|line| line.contains(r#"{name="payments""#)).collect();
    let has_samples = |family: &str| samples.iter().any(|sample| sample.starts_with(family));
    let of_interest = |line: &&str| samples.contains(line) || line.split(' ').nth(2).is_some_and(has_samples);
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

#[circuit_breaker(name = "tenants", key = tenant, failure_rate = 0.5, window = 4, min_calls = 2)]
async fn of_tenant(tenant: &str, answer: Answer) -> Answer {
    answer
}

#[tokio::test(start_paused = true)]
async fn breakers_of_keys_are_counted_by_their_state_and_never_named() {
    for tenant in ["secret-a", "secret-c", "secret-a", "secret-c"] {
        of_tenant(tenant, Ok(1)).await.unwrap();
    }
    for _ in 0..2 {
        of_tenant("secret-b", Err(Fault::Failed("down"))).await.unwrap_err();
    }
    let told = text();
    let scrape = Scrape::of(&told);
    let keys = |state: &str| {
        scrape.get(&format!(r#"resilient_circuit_breaker_keys{{name="tenants",state="{state}"}}"#))
    };
    assert_eq!((keys("closed"), keys("open"), keys("half_open")), (Some(2.0), Some(1.0), Some(0.0)));
    let opened = r#"{name="tenants",from="closed",to="open",cause="failure_rate"}"#;
    assert_eq!(scrape.get(&format!("resilient_circuit_breaker_transitions_total{opened}")), Some(1.0));
    assert!(!told.contains("secret"));
}

#[circuit_breaker(name = "measured", failure_rate = 0.5, window = 10, min_calls = 4)]
async fn measured(answer: Answer) -> Answer {
    answer
}

#[tokio::test(start_paused = true)]
async fn a_ratio_is_left_out_until_there_are_enough_calls_for_one() {
    let ratio = || Scrape::of(&text()).get(r#"resilient_circuit_breaker_failure_ratio{name="measured"}"#);
    let failed = r#"resilient_circuit_breaker_window_calls{name="measured",outcome="failed"}"#;
    for answer in [Ok(1), Ok(1), Err(Fault::Failed("down"))] {
        assert_eq!(ratio(), None);
        let _ = measured(answer).await;
    }
    measured(Ok(1)).await.unwrap();
    assert_eq!(ratio(), Some(0.25));
    assert_eq!(Scrape::of(&text()).get(failed), Some(1.0));
}

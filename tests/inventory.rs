//! `inventory()`: what is guarded, where, and by what settings.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use resilient_runtime::{
    Fault, GuardedFunction, Value, circuit_breaker, configure, fallback, hedge, inventory, registry, retry,
    timeout,
};

const MILLISECOND: Duration = Duration::from_millis(1);

#[fallback(value = 0, when = Fault::is_down)]
#[retry(max = 3, base = "50ms")]
#[circuit_breaker(name = "payments", failure_threshold = 7)]
#[timeout("2s")] // The function's place is that of its last attribute.
async fn quote() -> Result<u32, Fault<&'static str>> {
    Ok(42)
}

const QUOTE: u32 = line!() - 5;

trait Down {
    fn is_down(&self) -> bool;
}

impl Down for Fault<&'static str> {
    fn is_down(&self) -> bool {
        matches!(self, Fault::Failed(_))
    }
}

struct Shop;

impl Shop {
    #[timeout("1s", name = "charges")]
    async fn charge(&self) -> Result<u32, Fault<()>> {
        Ok(1)
    }
}

#[retry(when = |error: &u32| *error < 1 || *error > 2 && matches!(error, 3..))]
async fn choosy() -> Result<(), u32> {
    Ok(())
}

#[hedge(after = "p99.9", name = "second\ntry")]
async fn twice() -> Result<(), Fault<()>> {
    Ok(())
}

fn listed(path: &str) -> GuardedFunction {
    inventory().functions().iter().find(|function| function.path() == path).unwrap().clone()
}

fn stack(path: &str) -> Vec<String> {
    listed(path).layers().iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn code_is_listed_as_it_was_written() {
    choosy().await.unwrap();
    let written = "retry when = |error: &u32| *error < 1 || *error > 2 && matches!(error, 3..)";
    assert_eq!(stack("inventory::choosy"), [written]);
}

#[tokio::test]
async fn a_function_is_listed_with_its_place_and_its_stack() {
    let quote = listed("inventory::quote");
    assert_eq!((quote.file(), quote.line()), (file!(), QUOTE));
    assert_eq!(
        stack("inventory::quote"),
        [
            "fallback value = 0, when = Fault::is_down",
            "retry max = 3, base = \"50ms\"",
            "circuit_breaker `payments` failure_threshold = 7",
            "timeout limit = \"2s\"",
        ]
    );
    let names: Vec<_> = quote.layers().iter().map(|layer| (layer.stem(), layer.policy())).collect();
    assert_eq!(
        names,
        [
            ("fallback", "inventory::quote"),
            ("retry", "inventory::quote"),
            ("circuit_breaker", "payments"),
            ("timeout", "inventory::quote"),
        ]
    );
}

#[tokio::test]
async fn a_layer_is_one_line_and_its_values_are_as_they_are_written() {
    twice().await.unwrap();
    assert_eq!(stack("inventory::twice"), ["hedge `second\\ntry` after = \"p99.9\""]);
    let explanation = registry().explain();
    let after = explanation.rows().iter().find(|row| (row.stem, row.key) == ("hedge", "after")).unwrap();
    assert!(after.to_string().starts_with("hedge.\"second\\ntry\".after = \"p99.9\"  ("), "{after}");
}

#[tokio::test]
async fn settings_are_those_in_force() {
    configure()
        .retry("inventory::quote", |r| r.max(5).max_delay(200 * MILLISECOND))
        .circuit_breaker("payments", |b| b.failure_rate(0.5))
        .install()
        .unwrap();
    assert_eq!(
        stack("inventory::quote")[1..3],
        [
            "retry max = 5, base = \"50ms\", max_delay = \"200ms\"",
            // The threshold has given way to the rate.
            "circuit_breaker `payments` failure_rate = 0.5",
        ]
    );
    configure().install().unwrap();
    assert_eq!(stack("inventory::quote")[1], "retry max = 3, base = \"50ms\"", "the attribute holds again");
}

#[tokio::test]
async fn a_list_keeps_what_was_in_force_when_it_was_made() {
    let before = listed("inventory::Shop::charge");
    configure().timeout("charges", |t| t.limit(MILLISECOND)).install().unwrap();
    assert_eq!(before.layers()[0].settings(), [("limit", Value::time(1_000 * MILLISECOND))]);
    assert_eq!(
        listed("inventory::Shop::charge").layers()[0].settings(),
        [("limit", Value::time(MILLISECOND))]
    );
}

#[tokio::test]
async fn the_whole_list_is_text_in_the_order_of_the_paths() {
    let text = inventory().to_string();
    let quote = format!("\ninventory::quote ({}:{})\n    fallback ", file!(), QUOTE);
    assert!(text.contains(&quote), "{text}");
    let paths: Vec<_> = inventory().functions().iter().map(GuardedFunction::path).collect();
    assert!(paths.is_sorted(), "{paths:?}");
    assert!(text.starts_with(&format!("{} guarded functions\n", paths.len())), "{text}");
    assert!(!text.ends_with('\n'), "{text}");
}

#[tokio::test]
async fn every_function_is_listed_before_its_first_call() {
    let before = inventory().functions().len();
    quote().await.unwrap();
    Shop.charge().await.unwrap();
    assert_eq!(inventory().functions().len(), before);
}

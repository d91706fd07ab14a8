//! Named budgets: who shares them, what they tell, and retries inside the attempts of other retries.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::future::ready;
use std::time::Duration;

use resilient_runtime::{
    BudgetSnapshot, Fault, Nested, Retry, RetrySnapshot, Snapshot, attempt, configure, inherit, registry,
    retry, test_util, timeout,
};
use tokio::time::{Instant, sleep};

type Answer = Result<u32, Fault<&'static str>>;

const DOWN: Answer = Err(Fault::Failed("down"));

fn of(name: &str) -> BudgetSnapshot {
    registry().budget(name).expect("a call has used it")
}

fn retry_of(name: &str) -> RetrySnapshot {
    let Some(Snapshot::Retry(retry)) = registry().snapshot("retry", name) else { panic!("no retry {name}") };
    retry
}

#[retry(name = "reads", max = 1000, base = "0s", budget = "store")]
async fn reads() -> Answer {
    DOWN
}

#[retry(name = "writes", max = 1000, base = "0s", budget = "store")]
async fn writes(ok: bool) -> Answer {
    if ok { Ok(1) } else { DOWN }
}

#[tokio::test(start_paused = true)]
async fn functions_that_name_one_budget_share_it_and_it_says_what_it_paid() {
    assert_eq!(registry().budget("store"), None, "no call yet");
    assert_eq!(reads().await, DOWN);
    assert_eq!(retry_of("reads").retries, 110);
    assert_eq!(writes(false).await, DOWN);
    assert_eq!((retry_of("writes").retries, retry_of("writes").budget), (0, 1));
    let store = of("store");
    assert_eq!((store.spent, store.refused, store.left), (110, 2, 0));
    assert_eq!((store.capacity, store.reserve), (100, 10));
    assert!((store.credit - 0.2).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn what_one_function_earns_another_may_spend() {
    assert_eq!(reads().await, DOWN);
    for _ in 0..10 {
        assert_eq!(writes(true).await, Ok(1));
    }
    assert_eq!(of("store").left, 2);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(of("store").left, 12);
}

#[tokio::test(start_paused = true)]
async fn another_budget_is_untouched() {
    #[retry(max = 2, base = "0s")]
    async fn elsewhere() -> Answer {
        DOWN
    }
    assert_eq!(reads().await, DOWN);
    assert_eq!(elsewhere().await, DOWN);
    assert_eq!((of("default").spent, of("default").left), (1, 109));
    let names: Vec<_> = registry().budgets().iter().map(|budget| budget.name).collect();
    assert_eq!(names, ["default", "store"]);
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_reset_by_its_name() {
    assert_eq!(reads().await, DOWN);
    assert!(registry().reset("budget", "store"));
    assert_eq!((of("store").spent, of("store").refused, of("store").left), (0, 0, 110));
    assert!(!registry().reset("budget", "stor"));
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_configured_by_its_name_also_while_it_is_used() {
    configure().budget("store", |b| b.capacity(3).credit(1.0).reserve(2)).install().unwrap();
    assert_eq!(of("store").left, 5);
    assert_eq!(reads().await, DOWN);
    assert_eq!(retry_of("reads").retries, 5);
    configure().budget("store", |b| b.capacity(7).reserve(0)).install().unwrap();
    assert_eq!((of("store").capacity, of("store").left), (7, 0));
    assert_eq!(of("store").spent, 5, "what was learned is kept");
    configure().install().unwrap();
    assert_eq!(of("store").capacity, 100);
}

#[tokio::test(start_paused = true)]
async fn a_budget_of_nothing_pays_for_nothing() {
    configure().budget("store", |b| b.capacity(0).reserve(0)).install().unwrap();
    assert_eq!(reads().await, DOWN);
    assert_eq!((retry_of("reads").retries, of("store").refused), (0, 1));
}

#[test]
fn a_budget_that_nobody_names_and_values_out_of_range_are_refused() {
    let faults = |configure: resilient_runtime::Configure| {
        let error = configure.install().unwrap_err();
        error.faults().iter().map(|it| format!("{}: {}", it.path(), it.message)).collect::<Vec<_>>()
    };
    assert_eq!(
        faults(configure().budget("stoer", |b| b)),
        ["budget.stoer: no function has a budget of this name; did you mean `store`?"]
    );
    assert!(!faults(configure().budget("none", |b| b)).is_empty(), "it has no settings");
    assert_eq!(
        faults(configure().budget("store", |b| b.credit(20.0)).budget("default", |b| b.credit(0.0))),
        [
            "budget.store.credit: 20 is more than 1; write 0.5 for 50 %",
            "budget.default.credit: 0 is not above 0",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_only_the_configuration_names_is_known() {
    let both =
        configure().retry("reads", |r| r.budget("other")).budget("other", |b| b.capacity(1).reserve(0));
    both.install().unwrap();
    assert_eq!(reads().await, DOWN);
    assert_eq!(retry_of("reads").retries, 1);
}

#[retry(name = "outer", max = 3, base = "0s", budget = "outer")]
async fn outer(inner: fn() -> Inner) -> Answer {
    inner().await
}

type Inner = std::pin::Pin<Box<dyn Future<Output = Answer> + Send>>;

#[retry(name = "inner", max = 3, base = "0s", budget = "inner")]
async fn inner() -> Answer {
    DOWN
}

#[retry(name = "modest", max = 3, base = "0s", budget = "inner", nested = "once")]
async fn modest() -> Answer {
    DOWN
}

#[tokio::test(start_paused = true)]
async fn a_retry_inside_an_attempt_of_another_draws_on_its_budget_and_is_reported() {
    let events = test_util::record();
    assert_eq!(outer(|| Box::pin(inner())).await, DOWN);
    let (outer, inner) = (retry_of("outer"), retry_of("inner"));
    assert_eq!((outer.retries, outer.nested), (2, 0));
    assert_eq!((inner.retries, inner.nested, inner.exhausted), (6, 6, 3));
    assert_eq!(of("outer").spent, 8, "two retries outside, six inside");
    assert_eq!(of("inner").spent, 0);
    assert_eq!(events.words("inner")[..4], ["nested", "retrying", "retrying", "exhausted"]);
    assert!(!events.words("outer").contains(&"nested"));
}

#[retry(name = "top", max = 3, base = "0s", budget = "tree")]
async fn top(leaf: fn() -> Inner) -> Answer {
    leaf().await
}

#[retry(name = "leaf", max = 3, base = "0s", budget = "tree")]
async fn leaf(good_at: u32) -> Answer {
    tokio::task::yield_now().await;
    if attempt() == good_at { Ok(1) } else { DOWN }
}

/// Leaves nothing of a budget to which each call adds a retry.
async fn use_up() {
    configure().budget("tree", |b| b.capacity(100).credit(1.0).reserve(0)).install().unwrap();
    let spends = Retry::new().max(1000).base(Duration::ZERO).budget("tree");
    assert_eq!(spends.run(|| ready(DOWN)).await, DOWN);
    assert_eq!(of("tree").left, 0);
}

/// What ten calls earn, spent or not.
async fn earned_by_ten(call: impl AsyncFn() -> Answer) -> u64 {
    use_up().await;
    let before = of("tree").spent;
    for _ in 0..10 {
        let _ = call().await;
    }
    of("tree").left + of("tree").spent - before
}

fn by_name() -> Inner {
    Box::pin(registry().retry("leaf").unwrap().run(|| ready(Ok(1))))
}

#[tokio::test(start_paused = true)]
async fn a_call_earns_once_however_many_retries_it_passes() {
    let by_hand = Retry::new().base(Duration::ZERO).budget("tree");
    assert_eq!(earned_by_ten(async || leaf(1).await).await, 10);
    assert_eq!(earned_by_ten(async || top(|| Box::pin(leaf(1))).await).await, 10);
    assert_eq!(earned_by_ten(async || top(|| Box::pin(leaf(3))).await).await, 10);
    assert_eq!(earned_by_ten(async || top(|| Box::pin(leaf(0))).await).await, 10);
    assert_eq!(earned_by_ten(async || by_hand.run(|| leaf(2)).await).await, 10);
    assert_eq!(earned_by_ten(async || top(by_name).await).await, 10);
    assert_eq!(earned_by_ten(async || by_hand.run(|| by_hand.run(|| ready(Ok(1)))).await).await, 10);
}

#[tokio::test(start_paused = true)]
async fn calls_inside_that_still_run_take_nothing_from_others() {
    use_up().await;
    let mut running: Vec<_> = (0..5).map(|_| Box::pin(top(|| Box::pin(leaf(1))))).collect();
    for call in &mut running {
        assert!(futures::poll!(call).is_pending());
    }
    assert_eq!(of("tree").left, 0);
    running.truncate(3);
    assert_eq!(of("tree").left, 0, "those inside have yet to end");
    for call in running {
        assert_eq!(call.await, Ok(1));
    }
    assert_eq!(of("tree").left, 5);
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_of_the_outer_retry_ends_the_inner_one() {
    configure().budget("outer", |b| b.capacity(1).reserve(0)).install().unwrap();
    assert_eq!(outer(|| Box::pin(inner())).await, DOWN);
    let (outer, inner) = (retry_of("outer"), retry_of("inner"));
    assert_eq!((outer.retries, outer.budget), (0, 1));
    assert_eq!((inner.retries, inner.budget), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn nested_once_makes_one_attempt_inside_and_all_of_them_outside() {
    let events = test_util::record();
    assert_eq!(outer(|| Box::pin(modest())).await, DOWN);
    assert_eq!((retry_of("modest").once, retry_of("modest").retries), (3, 0));
    assert_eq!(retry_of("outer").retries, 2);
    assert!(events.words("modest").contains(&"once"));
    assert_eq!(modest().await, DOWN);
    assert_eq!((retry_of("modest").retries, retry_of("modest").exhausted), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn nested_once_is_configured_and_set_by_hand() {
    configure().retry("inner", |r| r.nested(Nested::Once)).install().unwrap();
    assert_eq!(outer(|| Box::pin(inner())).await, DOWN);
    assert_eq!(retry_of("inner").retries, 0);
    let (around, once) = (Retry::new().base(Duration::ZERO), Retry::new().nested(Nested::Once));
    let calls = Cell::new(0);
    let call = || {
        calls.set(calls.get() + 1);
        ready(DOWN)
    };
    let by_hand = around.run(|| once.run(call));
    assert_eq!(by_hand.await, DOWN);
    assert_eq!(calls.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_retry_without_a_budget_leaves_those_inside_their_own() {
    #[retry(max = 3, base = "0s", budget = "none")]
    async fn endless() -> Answer {
        inner().await
    }
    assert_eq!(endless().await, DOWN);
    assert_eq!((retry_of("inner").nested, of("inner").spent), (6, 6));
}

#[tokio::test(start_paused = true)]
async fn inherited_work_is_part_of_the_attempt_and_spawned_work_is_not() {
    assert_eq!(outer(|| Box::pin(async { tokio::spawn(inherit(modest())).await.unwrap() })).await, DOWN);
    assert_eq!(retry_of("modest").once, 3);
    assert_eq!(outer(|| Box::pin(async { tokio::spawn(modest()).await.unwrap() })).await, DOWN);
    assert_eq!((retry_of("modest").once, retry_of("modest").exhausted), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_nested_retry_keeps_the_time_of_the_one_around_it() {
    #[retry(name = "slow", base = "1s", jitter = "none", budget = "none")]
    async fn slow() -> Answer {
        DOWN
    }
    #[retry(name = "hurried", max = 2, base = "1ms", within = "500ms")]
    async fn hurried() -> Answer {
        slow().await
    }
    #[timeout("500ms")]
    async fn bounded() -> Answer {
        slow().await
    }
    let start = Instant::now();
    assert_eq!(hurried().await, DOWN);
    assert_eq!(bounded().await, DOWN);
    assert_eq!((retry_of("slow").deadline, retry_of("slow").retries), (3, 0));
    assert!(start.elapsed() < Duration::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn each_attempt_knows_its_own_number_inside_another() {
    #[retry(max = 2, base = "0s")]
    async fn numbered() -> Result<(u32, u32), Fault<&'static str>> {
        let outside = attempt();
        let inside = Retry::new()
            .base(Duration::ZERO)
            .run(|| async { if attempt() < 3 { Err(Fault::Failed("again")) } else { Ok(attempt()) } });
        let inside = inside.await?;
        if attempt() == 1 { Err(Fault::Failed("again")) } else { Ok((outside, inside)) }
    }
    assert_eq!(numbered().await, Ok((2, 3)));
}

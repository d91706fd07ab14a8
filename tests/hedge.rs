//! `#[hedge]`: further attempts beside a slow one, or after one that fails early.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "a fallback has the signature of what it stands in for"
)]

use std::cell::Cell;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use resilient_runtime::{
    Class, Classify, Fault, Hedge, HedgeSnapshot, Rejected, attempt, bulkhead, circuit_breaker, configure,
    fallback, hedge, registry, retry, test_util, timeout,
};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);

type Answer = Result<u32, Fault<&'static str>>;

const DOWN: Answer = Err(Fault::Failed("down"));

fn of(name: &str) -> HedgeSnapshot {
    registry().hedge(name).expect("a function declares it").snapshot()
}

/// What each attempt does: takes so many milliseconds and gives an answer.
type Script = [(u32, Answer)];

async fn play(script: &Script) -> Answer {
    let (time, ref answer) = script[attempt() as usize - 1];
    if time > 0 {
        sleep(time * MS).await;
    }
    answer.clone()
}

#[hedge(name = "two", after = "50ms")]
async fn two(script: &Script) -> Answer {
    play(script).await
}

#[hedge(name = "three", after = "50ms", max = 3)]
async fn three(script: &Script) -> Answer {
    play(script).await
}

#[tokio::test(start_paused = true)]
async fn a_first_attempt_that_is_fast_has_no_other_beside_it() {
    let start = Instant::now();
    assert_eq!(two(&[(49, Ok(1))]).await, Ok(1));
    assert_eq!(start.elapsed(), 49 * MS);
    let seen = of("two");
    assert_eq!((seen.first, seen.hedges, seen.dropped), (1, 0, 0));
    assert_eq!((seen.max, seen.after), (2, Some(50 * MS)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_first_attempt_gets_a_second_and_the_faster_one_has_the_answer() {
    let (start, events) = (Instant::now(), test_util::record());
    assert_eq!(two(&[(500, Ok(1)), (10, Ok(2))]).await, Ok(2));
    assert_eq!(start.elapsed(), 60 * MS);
    assert_eq!(two(&[(70, Ok(1)), (500, Ok(2))]).await, Ok(1));
    let seen = of("two");
    assert_eq!((seen.first, seen.hedged, seen.hedges, seen.dropped), (1, 1, 2, 2));
    assert_eq!(events.words("two"), ["hedging", "hedge_won", "hedging"]);
}

#[tokio::test(start_paused = true)]
async fn further_attempts_start_one_after_the_other() {
    let start = Instant::now();
    assert_eq!(three(&[(500, Ok(1)), (500, Ok(2)), (10, Ok(3))]).await, Ok(3));
    assert_eq!(start.elapsed(), 110 * MS);
    assert_eq!((of("three").hedges, of("three").dropped), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_failure_starts_the_next_one_at_once() {
    let (start, events) = (Instant::now(), test_util::record());
    assert_eq!(three(&[(5, DOWN), (5, DOWN), (5, Ok(3))]).await, Ok(3));
    assert_eq!(start.elapsed(), 15 * MS);
    assert_eq!(events.words("three"), ["hedging", "hedging", "hedge_won"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_at_the_first_poll_starts_the_next_one_too() {
    assert_eq!(three(&[(0, DOWN), (0, DOWN), (0, Ok(3))]).await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn a_failure_leaves_the_attempts_beside_it_alone() {
    let start = Instant::now();
    assert_eq!(two(&[(80, Ok(1)), (10, DOWN)]).await, Ok(1));
    assert_eq!(start.elapsed(), 80 * MS);
    assert_eq!(two(&[(60, DOWN), (100, Ok(2))]).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_the_error_is_that_of_the_first() {
    let error = |text| Err(Fault::Failed(text));
    assert_eq!(three(&[(100, error("a")), (5, error("b")), (5, error("c"))]).await, error("a"));
    assert_eq!((of("three").failed, of("three").hedges), (1, 2));
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Told(Class);

impl Classify for Told {
    fn classify(&self) -> Class {
        self.0
    }
}

#[hedge(name = "told", after = "50ms", max = 3)]
async fn told(script: &[(u32, Result<u32, Class>)]) -> Result<u32, Told> {
    let (time, answer) = script[attempt() as usize - 1];
    sleep(time * MS).await;
    answer.map_err(Told)
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_an_answer_ends_the_call() {
    for class in [Class::Permanent, Class::Ignored] {
        let start = Instant::now();
        assert_eq!(told(&[(100, Ok(1)), (10, Err(class))]).await, Err(Told(class)));
        assert_eq!(start.elapsed(), 60 * MS);
    }
    assert_eq!(told(&[(10, Err(Class::Permanent))]).await, Err(Told(Class::Permanent)));
    assert_eq!((of("told").first, of("told").hedged, of("told").failed), (1, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_before_the_time_that_a_throttled_one_was_told() {
    let start = Instant::now();
    let busy = |millis| Err(Class::Throttled { after: Some(millis * MS) });
    assert_eq!(told(&[(10, busy(200)), (5, Ok(2))]).await, Ok(2));
    assert_eq!(start.elapsed(), 215 * MS);
    // The second fails meanwhile, and still the third has to wait.
    let start = Instant::now();
    assert_eq!(told(&[(60, busy(200)), (30, Err(Class::Transient)), (5, Ok(3))]).await, Ok(3));
    assert_eq!(start.elapsed(), 265 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_hint_of_more_than_half_a_minute_is_not_waited_for() {
    let start = Instant::now();
    let class = Class::Throttled { after: Some(31_000 * MS) };
    assert_eq!(told(&[(10, Err(class))]).await, Err(Told(class)));
    assert_eq!(start.elapsed(), 10 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_answer_without_a_hint_starts_none_early() {
    let start = Instant::now();
    let class = Class::Throttled { after: None };
    assert_eq!(told(&[(10, Err(class)), (5, Ok(2))]).await, Ok(2));
    assert_eq!(start.elapsed(), 55 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_predicate_says_which_errors_are_worth_another_attempt() {
    #[hedge(name = "picky", after = "50ms", when = |error: &&str| *error == "again")]
    async fn picky(first: &'static str) -> Result<u32, &'static str> {
        if attempt() == 1 { Err(first) } else { Ok(2) }
    }
    assert_eq!(picky("again").await, Ok(2));
    assert_eq!(picky("never").await, Err("never"));
}

#[tokio::test(start_paused = true)]
async fn a_value_may_be_worth_another_attempt() {
    #[hedge(name = "wanted", after = "50ms", max = 3, when_ok = |found: &u32| *found == 0)]
    async fn wanted(script: &Script) -> Answer {
        play(script).await
    }
    let start = Instant::now();
    assert_eq!(wanted(&[(10, Ok(0)), (5, Ok(2))]).await, Ok(2));
    assert_eq!(start.elapsed(), 15 * MS, "the next one starts at once");
    assert_eq!(
        wanted(&[(80, Ok(1)), (5, Ok(0)), (50, Ok(3))]).await,
        Ok(1),
        "an unwanted value wins no race"
    );
    assert_eq!((of("wanted").first, of("wanted").hedged, of("wanted").hedges), (1, 1, 3));
    assert_eq!(wanted(&[(1, Ok(0)), (1, DOWN), (1, Ok(0))]).await, Ok(0), "the first one's answer");
    assert_eq!(wanted(&[(1, DOWN), (1, Ok(0)), (1, Ok(0))]).await, DOWN);
    assert_eq!((of("wanted").failed, of("wanted").dropped), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn errors_go_by_their_class_beside_a_predicate_on_values() {
    #[hedge(after = "50ms", when_ok = Vec::is_empty)]
    async fn sorted(class: Class) -> Result<Vec<u32>, Told> {
        if attempt() == 1 { Err(Told(class)) } else { Ok(vec![2]) }
    }
    #[hedge(after = "50ms", when = |error: &Told| error.0 == Class::Permanent, when_ok = Vec::is_empty)]
    async fn both(first: Result<Vec<u32>, Class>) -> Result<Vec<u32>, Told> {
        if attempt() == 1 { first.map_err(Told) } else { Ok(vec![2]) }
    }
    assert_eq!(sorted(Class::Transient).await, Ok(vec![2]));
    assert_eq!(sorted(Class::Permanent).await, Err(Told(Class::Permanent)));
    assert_eq!(both(Err(Class::Permanent)).await, Ok(vec![2]));
    assert_eq!(both(Err(Class::Transient)).await, Err(Told(Class::Transient)));
    assert_eq!(both(Ok(vec![])).await, Ok(vec![2]));
    assert_eq!(both(Ok(vec![1])).await, Ok(vec![1]));
}

#[tokio::test(start_paused = true)]
async fn by_hand_predicates_decide_too() {
    static FIND: Hedge = Hedge::new("find").after(Duration::from_millis(50));
    let find = |first: Result<u32, Told>| {
        let run = move || std::future::ready(if attempt() == 1 { first } else { Ok(2) });
        FIND.when_ok(|found| *found == 0).when(|Told(class)| *class == Class::Permanent).call(run)
    };
    assert_eq!(find(Ok(0)).await, Ok(2));
    assert_eq!(find(Ok(1)).await, Ok(1));
    assert_eq!(find(Err(Told(Class::Permanent))).await, Ok(2));
    assert_eq!(find(Err(Told(Class::Transient))).await, Err(Told(Class::Transient)));
}

#[tokio::test(start_paused = true)]
async fn a_time_of_zero_starts_all_at_once() {
    #[hedge(name = "race", after = "0s", max = 3)]
    async fn race(script: &Script) -> Answer {
        play(script).await
    }
    let start = Instant::now();
    assert_eq!(race(&[(30, Ok(1)), (10, Ok(2)), (20, Ok(3))]).await, Ok(2));
    assert_eq!(start.elapsed(), 10 * MS);
    assert_eq!(race(&[(0, Ok(1))]).await, Ok(1));
    assert_eq!((of("race").hedges, of("race").dropped), (2, 2));
}

/// Says when it is dropped.
struct Noted<'a>(&'a Cell<u32>);

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn losers_are_dropped_before_the_call_returns_and_count_as_abandoned() {
    #[hedge(name = "noted", after = "50ms", max = 3)]
    #[circuit_breaker(name = "below")]
    async fn noted(dropped: &Cell<u32>) -> Answer {
        let _noted = Noted(dropped);
        if attempt() < 3 { pending().await } else { Ok(3) }
    }
    let dropped = Cell::new(0);
    assert_eq!(noted(&dropped).await, Ok(3));
    assert_eq!(dropped.get(), 3);
    let below = registry().circuit_breaker("below").unwrap().snapshot();
    assert_eq!((below.succeeded, below.abandoned, below.failed), (1, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_drops_all_its_attempts() {
    #[hedge(name = "hangs", after = "50ms")]
    async fn hangs(dropped: &Cell<u32>) -> Answer {
        let _noted = Noted(dropped);
        pending().await
    }
    let dropped = Cell::new(0);
    assert!(tokio::time::timeout(60 * MS, hangs(&dropped)).await.is_err());
    assert_eq!(dropped.get(), 2);
    assert_eq!((of("hangs").abandoned, of("hangs").dropped), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_the_calls() {
    #[hedge(name = "panics", after = "50ms")]
    async fn panics() -> Answer {
        if attempt() == 1 { pending().await } else { panic!("on purpose") }
    }
    assert!(tokio::spawn(panics()).await.unwrap_err().is_panic());
    assert_eq!((of("panics").panicked, of("panics").hedges), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn owned_arguments_are_copied_and_borrowed_ones_shared() {
    struct Index {
        asked: AtomicU32,
    }
    impl Index {
        #[hedge(after = "50ms", max = 3, no_clone(page))]
        async fn find<'a>(
            &self,
            words: &'a str,
            mut order: Vec<u32>,
            page: Page,
        ) -> Result<(&'a str, Vec<u32>), std::io::Error> {
            self.asked.fetch_add(1, SeqCst);
            order.push(attempt() + page.0);
            if attempt() < 3 {
                pending::<()>().await;
            }
            Ok((words, order))
        }
    }
    struct Page(u32);
    let index = Index { asked: AtomicU32::new(0) };
    let found = index.find("tea", vec![0], Page(10)).await.unwrap();
    assert_eq!(found, ("tea", vec![0, 13]));
    assert_eq!(index.asked.load(SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn a_self_by_value_is_shared_and_copied_arguments_of_any_kind_stand_beside_it() {
    #[derive(Clone)]
    struct Shop(u32);
    impl Shop {
        #[hedge(after = "50ms", no_clone(tail))]
        async fn price(
            self: Arc<Self>,
            mut sku: u32,
            r#in: String,
            tail: Vec<u32>,
        ) -> Result<u32, std::io::Error> {
            sku += 1;
            if attempt() == 1 {
                pending::<()>().await;
            }
            Ok(self.0 + sku + u32::try_from(r#in.len()).unwrap() + tail[0])
        }

        #[fallback(fn = Self::other)]
        #[retry(max = 2, base = "0s")]
        #[hedge(after = "50ms")]
        #[timeout("80ms")]
        async fn sold(self, sku: u32) -> Result<u32, std::io::Error> {
            sleep(MS * (self.0 + sku)).await;
            Ok(sku)
        }

        fn other(self, sku: u32) -> Result<u32, std::io::Error> {
            Ok(self.0 + sku)
        }
    }
    assert_eq!(Arc::new(Shop(100)).price(2, "ab".into(), vec![1000]).await.unwrap(), 1105);
    assert_eq!(Shop(100).sold(7).await.unwrap(), 107);
    assert_eq!(Shop(1).sold(7).await.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn it_guards_functions_of_any_shape() {
    #[async_trait::async_trait]
    trait Search {
        async fn find(&self, words: String, few: Option<&str>) -> Result<String, std::io::Error>;

        #[hedge(after = "50ms")]
        async fn count(&self, words: Vec<u32>) -> Result<usize, std::io::Error> {
            slow_at_first().await;
            Ok(words.len())
        }
    }
    struct Index<T>(T);
    #[async_trait::async_trait]
    impl<T: Clone + Send + Sync + Into<String> + 'static> Search for Index<T> {
        #[hedge(after = "50ms", max = 3)]
        async fn find(&self, mut words: String, few: Option<&str>) -> Result<String, std::io::Error> {
            slow_at_first().await;
            words.push_str(few.unwrap_or_default());
            Ok(words + &self.0.clone().into())
        }
    }
    #[hedge(after = "50ms")]
    fn boxed(n: u32) -> Pin<Box<dyn Future<Output = Answer> + Send>> {
        Box::pin(async move {
            slow_at_first().await;
            Ok(n)
        })
    }
    #[hedge(after = "50ms")]
    async fn generic<'a, T: AsRef<str> + ?Sized, const N: usize>(
        text: &'a T,
        (a, b): (u32, [u32; N]),
        add: impl Fn(u32) -> u32 + Clone,
    ) -> Result<(&'a str, u32), Box<dyn std::error::Error>> {
        slow_at_first().await;
        if text.as_ref().is_empty() {
            Err("empty")?;
        }
        Ok((text.as_ref(), add(a + b[0])))
    }
    let index = Index("!");
    assert_eq!(index.find("tea".into(), Some("pot")).await.unwrap(), "teapot!");
    assert_eq!(index.count(vec![1, 2]).await.unwrap(), 2);
    assert_eq!(boxed(7).await, Ok(7));
    assert_eq!(generic("tea", (1, [2, 3]), |n| n * 10).await.unwrap(), ("tea", 30));
}

async fn slow_at_first() {
    if attempt() == 1 {
        pending::<()>().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallback_below_that_picks_its_errors_runs_in_each_attempt() {
    #[hedge(name = "picks", after = "50ms")]
    #[fallback(fn = known, when = |error: &&str| *error == "known")]
    async fn picks(sku: String, found: &'static str) -> Result<String, &'static str> {
        if attempt() == 1 { Err("other") } else { Err(found) }
    }
    fn known(sku: String, _found: &'static str) -> Result<String, &'static str> {
        Ok(sku)
    }
    assert_eq!(picks("tea".into(), "known").await, Ok("tea".to_owned()));
    assert_eq!(picks("tea".into(), "lost").await, Err("other"));
}

#[tokio::test(start_paused = true)]
async fn the_future_is_send_where_the_bodys_is() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    #[hedge(after = "50ms")]
    async fn owned(cell: Cell<u32>) -> Answer {
        sleep(MS).await;
        Ok(cell.get())
    }
    #[fallback(fn = instead)]
    #[retry(max = 2, base = "0s")]
    #[hedge(after = "50ms")]
    #[timeout("1s")]
    async fn stacked(cell: Cell<u32>) -> Answer {
        sleep(MS).await;
        Err(Fault::Failed(if cell.get() == 7 { "seven" } else { "other" }))
    }
    fn instead(cell: Cell<u32>) -> Answer {
        Ok(cell.get() + 1)
    }
    assert_eq!(is_send(owned(Cell::new(7))).await, Ok(7));
    assert_eq!(is_send(stacked(Cell::new(7))).await, Ok(8));
}

#[tokio::test(start_paused = true)]
async fn the_question_mark_and_return_belong_to_the_attempt() {
    #[hedge(after = "50ms")]
    async fn parsed(text: &str) -> Result<u32, std::io::Error> {
        if text.is_empty() {
            return Ok(0);
        }
        let n: u32 = text.parse().map_err(std::io::Error::other)?;
        Ok(n)
    }
    assert_eq!(parsed("").await.unwrap(), 0);
    assert_eq!(parsed("3").await.unwrap(), 3);
    assert!(parsed("x").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_adds_nothing() {
    #[hedge(name = "poor", after = "50ms", max = 4, budget = "poor")]
    async fn poor(script: &Script) -> Answer {
        play(script).await
    }
    configure().budget("poor", |b| b.capacity(1).reserve(0)).install().unwrap();
    let (start, events) = (Instant::now(), test_util::record());
    assert_eq!(poor(&[(500, Ok(1)), (500, Ok(2))]).await, Ok(1));
    assert_eq!(start.elapsed(), 500 * MS);
    assert_eq!((of("poor").hedges, of("poor").budget), (1, 1));
    assert_eq!(events.words("poor"), ["hedging", "budget"]);
    assert_eq!(poor(&[(5, DOWN)]).await, DOWN, "nor after a failure");
    assert_eq!(registry().budget("poor").map(|it| (it.spent, it.refused)), Some((1, 2)));
}

#[tokio::test(start_paused = true)]
async fn calls_earn_hedges_for_the_budget_they_share_with_retries() {
    #[hedge(name = "earns", after = "50ms", budget = "both")]
    async fn earns(script: &Script) -> Answer {
        play(script).await
    }
    #[retry(max = 2, base = "0s", budget = "both")]
    async fn spends() -> Answer {
        DOWN
    }
    configure().budget("both", |b| b.capacity(1).credit(0.5).reserve(0)).install().unwrap();
    assert_eq!(spends().await, DOWN);
    assert_eq!(earns(&[(5, DOWN)]).await, DOWN, "a retry took it");
    assert_eq!(earns(&[(5, Ok(1))]).await, Ok(1));
    assert_eq!(earns(&[(5, DOWN), (5, Ok(2))]).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn inside_a_retry_the_budget_of_that_one_pays() {
    #[retry(max = 2, base = "0s", budget = "outside")]
    #[hedge(name = "inside", after = "50ms", budget = "inside")]
    async fn both() -> Answer {
        DOWN
    }
    assert_eq!(both().await, DOWN);
    let spent = |name| registry().budget(name).map(|budget| budget.spent);
    assert_eq!((spent("outside"), spent("inside")), (Some(3), Some(0)));
    assert_eq!((of("inside").hedges, of("inside").failed), (2, 2));
}

mod who_earns {
    use super::*;

    #[hedge(name = "earner", after = "50ms", budget = "earned")]
    async fn hedged(answer: Answer) -> Answer {
        answer
    }

    #[retry(name = "around", max = 2, base = "0s", budget = "earned")]
    async fn around(answer: Answer) -> Answer {
        hedged(answer).await
    }

    async fn use_up() -> u64 {
        let refused = of("earner").budget;
        while of("earner").budget == refused {
            assert_eq!(hedged(DOWN).await, DOWN);
        }
        registry().budget("earned").unwrap().spent
    }

    /// What twenty calls that succeed are good for, and those that use it up.
    async fn paid_after_twenty(call: impl AsyncFn(Answer) -> Answer) -> u64 {
        configure().budget("earned", |b| b.capacity(100).credit(0.5).reserve(0)).install().unwrap();
        let before = use_up().await;
        for _ in 0..20 {
            assert_eq!(call(Ok(1)).await, Ok(1));
        }
        // Their policy looks for what they have earned when it asks next.
        assert_eq!(call(DOWN).await, DOWN);
        use_up().await - before
    }

    #[retry(name = "innermost", max = 2, base = "0s", budget = "earned")]
    async fn retried(answer: Answer) -> Answer {
        answer
    }

    #[hedge(name = "over", after = "0s", budget = "none")]
    async fn over(answer: Answer) -> Answer {
        retried(answer).await
    }

    #[hedge(name = "over all", after = "50ms", budget = "earned")]
    async fn over_all(answer: Answer) -> Answer {
        retried(answer).await
    }

    /// Twenty calls earn ten, and as each call that uses up one earns a half, these are good for twenty.
    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_hedged_earns_once() {
        let paid = paid_after_twenty(hedged).await;
        assert!((18..=22).contains(&paid), "{paid}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_whose_attempts_are_retried_by_another_function_earns_once() {
        let paid = paid_after_twenty(over_all).await;
        assert!((18..=22).contains(&paid), "{paid}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_inside_an_attempt_that_no_budget_pays_for_earns_for_its_own() {
        let paid = paid_after_twenty(over).await;
        assert!((18..=22).contains(&paid), "{paid}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_retried_and_hedged_earns_once() {
        let paid = paid_after_twenty(around).await;
        assert!((18..=22).contains(&paid), "{paid}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_inside_an_attempt_of_a_hedge_is_nested() {
    #[retry(name = "nested", max = 3, base = "0s", nested = "once")]
    async fn nested() -> Answer {
        DOWN
    }
    #[hedge(after = "50ms")]
    async fn hedged() -> Answer {
        nested().await
    }
    let events = test_util::record();
    assert_eq!(hedged().await, DOWN);
    assert_eq!(events.words("nested"), ["nested", "once", "nested", "once"]);
}

#[hedge(name = "quantile", budget = "none")]
async fn quantile(script: &Script) -> Answer {
    play(script).await
}

#[tokio::test(start_paused = true)]
async fn a_quantile_starts_none_before_the_warm_up_and_then_beside_the_slow() {
    for n in 1..=20 {
        assert_eq!(of("quantile").after, None);
        assert_eq!(quantile(&[(n * 10, Ok(1)), (0, Ok(2))]).await, Ok(1));
    }
    assert_eq!(of("quantile").hedges, 0);
    assert_eq!(of("quantile").after, Some(190 * MS));
    let start = Instant::now();
    assert_eq!(quantile(&[(500, Ok(1)), (5, Ok(2))]).await, Ok(2));
    assert_eq!(start.elapsed(), 195 * MS);
}

#[tokio::test(start_paused = true)]
async fn hedges_that_win_do_not_make_the_quantile_shrink() {
    for n in 0..2_000 {
        // One in twenty hangs; without the hedges' help the others take a tenth of a second.
        let first = if n % 20 == 19 { 10_000 } else { 100 };
        quantile(&[(first, Ok(1)), (100, Ok(2))]).await.unwrap();
    }
    assert_eq!(of("quantile").after, Some(100 * MS));
    assert!((90..=110).contains(&of("quantile").hedges), "{:?}", of("quantile"));
}

#[tokio::test(start_paused = true)]
async fn failures_say_nothing_about_the_time_of_a_success() {
    for _ in 0..50 {
        quantile(&[(1, DOWN), (1, DOWN)]).await.unwrap_err();
    }
    assert_eq!(of("quantile").after, None);
}

#[tokio::test(start_paused = true)]
async fn settings_change_while_calls_run_and_what_was_learned_is_kept() {
    for _ in 0..20 {
        quantile(&[(100, Ok(1))]).await.unwrap();
    }
    configure().hedge("quantile", |h| h.after(30 * MS).max(3)).install().unwrap();
    assert_eq!((of("quantile").after, of("quantile").max), (Some(30 * MS), 3));
    configure().hedge("quantile", |h| h.after_quantile(0.5)).install().unwrap();
    assert_eq!((of("quantile").after, of("quantile").max), (Some(100 * MS), 2));
    configure().hedge("quantile", |h| h.max(1)).install().unwrap();
    assert_eq!(quantile(&[(500, DOWN)]).await, DOWN, "switched off");
    assert_eq!(of("quantile").hedges, 0);
}

#[test]
fn settings_out_of_range_and_times_that_never_fit_are_refused() {
    #[timeout("1s", name = "tight")]
    #[hedge(name = "tight", after = "50ms")]
    async fn tight() -> Answer {
        Ok(1)
    }
    drop(tight());
    let faults = |set: fn(Hedge) -> Hedge| {
        let error = configure().hedge("tight", set).install().unwrap_err();
        error.faults().iter().map(|it| format!("{}: {}", it.path(), it.message)).collect::<Vec<_>>()
    };
    assert_eq!(
        faults(|h| h.after_quantile(95.0)),
        ["hedge.tight.after: 95 is no share from 0.5 to 0.999; write 0.95 for p95"]
    );
    assert_eq!(faults(|h| h.max(17)), ["hedge.tight.max: 17 is more than 16"]);
    assert_eq!(faults(|h| h.max(0)), ["hedge.tight.max: 0 is less than 1"]);
    let path = "hedge::settings_out_of_range_and_times_that_never_fit_are_refused::tight";
    assert_eq!(
        faults(|h| h.after(Duration::from_secs(1))),
        [format!(
            "hedge.tight.after: its hedge waits at least 1s, but `timeout.tight.limit` ends all of `{path}` after 1s"
        )]
    );
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_the_time_of_a_timeout_below() {
    #[hedge(name = "bounded", after = "50ms")]
    #[timeout("100ms", name = "each")]
    async fn bounded(script: &Script) -> Answer {
        play(script).await
    }
    let start = Instant::now();
    assert_eq!(bounded(&[(9_000, Ok(1)), (90, Ok(2))]).await, Ok(2));
    assert_eq!(start.elapsed(), 140 * MS);
    let timed_out = Rejected::TimedOut { name: "each", limit: 100 * MS };
    assert_eq!(bounded(&[(9_000, Ok(1)), (9_000, Ok(2))]).await, Err(Fault::Rejected(timed_out)));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_from_below_starts_no_other_attempt() {
    #[hedge(name = "refused", after = "50ms", max = 5)]
    #[bulkhead(name = "full", max_concurrent = 1)]
    async fn refused(hold: bool) -> Answer {
        if hold { pending().await } else { Ok(1) }
    }
    let full = registry().bulkhead("full").unwrap();
    let permit = full.try_acquire();
    let rejected = Err(Fault::Rejected(Rejected::BulkheadFull { name: "full" }));
    assert_eq!(refused(false).await, rejected);
    assert_eq!((of("refused").hedges, full.snapshot().rejected), (0, 1));
    drop(permit);
    assert_eq!(refused(false).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn functions_share_a_named_hedge_and_unnamed_ones_do_not() {
    #[hedge(name = "shared", after = "50ms")]
    async fn one() -> Answer {
        Ok(1)
    }
    #[hedge(name = "shared")]
    async fn other() -> Answer {
        Ok(2)
    }
    #[hedge]
    async fn alone() -> Answer {
        Ok(3)
    }
    assert_eq!((one().await, other().await, alone().await), (Ok(1), Ok(2), Ok(3)));
    assert_eq!(of("shared").first, 2);
    let path = "hedge::functions_share_a_named_hedge_and_unnamed_ones_do_not::alone";
    assert_eq!((of(path).first, of(path).max), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn by_hand_it_takes_what_makes_the_attempts() {
    static SEARCH: Hedge = Hedge::new("by hand").after(Duration::from_millis(50)).max(3).budget("none");
    let (start, text) = (Instant::now(), String::from("borrowed"));
    let answer = SEARCH.call(|| async {
        sleep(if attempt() == 3 { MS } else { 1_000 * MS }).await;
        Ok::<_, Told>(u32::from(text.is_empty()) + 8 + attempt())
    });
    assert_eq!(answer.await, Ok(11));
    assert_eq!(start.elapsed(), 101 * MS);
    assert_eq!((SEARCH.snapshot().hedged, SEARCH.snapshot().dropped), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn by_hand_in_another_runtime_it_has_the_budget_of_that_one() {
    static FAILS: Hedge = Hedge::new("fails").max(2).budget("each its own");
    let fails = || async {
        FAILS.call(|| async { Err::<(), _>("down") }).await.unwrap_err();
        registry().budget("each its own").unwrap().spent
    };
    assert_eq!(fails().await, 1);
    let other = std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(fails())
    });
    assert_eq!(other.join().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_polled_after_its_end_starts_nothing() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let hedge = Hedge::new("fused");
    let mut call = Box::pin(hedge.call(|| async {
        CALLS.fetch_add(1, SeqCst);
        Ok::<_, Told>(1)
    }));
    assert_eq!(call.as_mut().await, Ok(1));
    assert!(tokio::time::timeout(MS, call).await.is_err());
    assert_eq!(CALLS.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_always_busy_holds_up_neither_the_others_nor_the_time() {
    #[hedge(name = "busy", after = "50ms")]
    async fn busy() -> Answer {
        if attempt() == 2 {
            tokio::task::consume_budget().await;
            return Ok(2);
        }
        loop {
            tokio::task::consume_budget().await;
            if !tokio::task::coop::has_budget_remaining() {
                tokio::time::advance(MS).await;
            }
        }
    }
    assert_eq!(busy().await, Ok(2));
}

//! A timeout or `within` bounds everything it encloses: no wait begins that would cross it, and what may not
//! know how long it waits ends with it.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::future::{Future, pending};
use std::pin::Pin;
use std::time::Duration;

use resilient_runtime::{
    Fault, Hedge, Rejected, Retry, Timeout, bulkhead, circuit_breaker, deadline, hedge, inherit, rate_limit,
    registry, retry, timeout,
};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);
/// What each of the bounds below allows.
const BOUND: Duration = Duration::from_millis(500);

type Answer = Result<u32, Fault<&'static str>>;
type Call = Pin<Box<dyn Future<Output = Answer> + Send>>;
type Wait = fn() -> Call;

const DOWN: Answer = Err(Fault::Failed("down"));

// Whatever encloses a wait.

#[timeout("500ms", name = "bound")]
async fn in_time(wait: Wait) -> Answer {
    wait().await
}

#[retry(within = "500ms", base = "1ms", when = |_| false)]
async fn within(wait: Wait) -> Answer {
    wait().await
}

#[timeout("500ms", name = "bound")]
async fn in_time_spawned(wait: Wait) -> Answer {
    tokio::spawn(inherit(wait())).await.unwrap()
}

#[retry(within = "500ms", base = "1ms", when = |_| false)]
async fn within_spawned(wait: Wait) -> Answer {
    tokio::spawn(inherit(wait())).await.unwrap()
}

#[timeout("500ms", name = "bound")]
#[hedge(after = "400ms", budget = "none", when = |_| false)]
#[timeout("450ms", name = "each")]
async fn in_attempts(wait: Wait) -> Answer {
    wait().await
}

/// Two functions further down, under a longer time.
#[timeout("500ms", name = "bound")]
async fn deep(wait: Wait) -> Answer {
    #[timeout("20s")]
    #[bulkhead(name = "between", max_concurrent = 100, max_wait = "1s")]
    #[circuit_breaker(name = "between")]
    async fn between(wait: Wait) -> Answer {
        wait().await
    }
    between(wait).await
}

fn by_hand(wait: Wait) -> Call {
    Box::pin(async move { Timeout::new(BOUND).name("bound").call(wait()).await })
}

fn within_by_hand(wait: Wait) -> Call {
    Box::pin(async move { Retry::new().within(BOUND).max(1).run(wait).await })
}

type Bound = fn(Wait) -> Call;

const BOUNDS: [(&str, Bound); 8] = [
    ("timeout", |wait| Box::pin(in_time(wait))),
    ("within", |wait| Box::pin(within(wait))),
    ("timeout, spawned", |wait| Box::pin(in_time_spawned(wait))),
    ("within, spawned", |wait| Box::pin(within_spawned(wait))),
    ("timeout, attempts", |wait| Box::pin(in_attempts(wait))),
    ("timeout, deep", |wait| Box::pin(deep(wait))),
    ("timeout by hand", by_hand),
    ("within by hand", within_by_hand),
];

/// What each bound makes of a wait: the answer, and when it comes.
async fn under_each(wait: Wait, check: impl Fn(&str, Answer, Duration)) {
    for (shown, bound) in BOUNDS {
        registry().reset_all();
        let start = Instant::now();
        let answer = bound(wait).await;
        check(shown, answer, start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn no_retry_waits_beyond_it() {
    #[retry(name = "waits", max = 2, base = "501ms", jitter = "none", budget = "none")]
    async fn waits() -> Answer {
        DOWN
    }
    under_each(
        || Box::pin(waits()),
        |shown, answer, took| assert_eq!((answer, took), (DOWN, Duration::ZERO), "{shown}"),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_fits_is_waited() {
    #[retry(max = 2, base = "400ms", jitter = "none", budget = "none")]
    async fn waits() -> Answer {
        if resilient_runtime::attempt() == 1 { DOWN } else { Ok(2) }
    }
    under_each(
        || Box::pin(waits()),
        |shown, answer, took| assert_eq!((answer, took), (Ok(2), 400 * MS), "{shown}"),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_breaker_that_stays_open_longer() {
    #[retry(max = 3, base = "0s", jitter = "none", budget = "none")]
    #[circuit_breaker(name = "opens", failure_threshold = 1, reset_timeout = "1s")]
    async fn waits() -> Answer {
        DOWN
    }
    under_each(
        || Box::pin(waits()),
        |shown, answer, took| {
            assert!(
                matches!(answer, Err(Fault::Rejected(Rejected::CircuitOpen { .. }))),
                "{shown}: {answer:?}"
            );
            assert_eq!(took, Duration::ZERO, "{shown}");
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_refuses_at_once_who_would_wait_beyond_it() {
    #[rate_limit(name = "second", rate = "1/s", burst = 1, max_wait = "1h")]
    async fn waits() -> Answer {
        Ok(1)
    }
    under_each(
        || {
            Box::pin(async {
                assert_eq!(waits().await, Ok(1));
                waits().await
            })
        },
        |shown, answer, took| {
            assert!(
                matches!(answer, Err(Fault::Rejected(Rejected::RateLimited { .. }))),
                "{shown}: {answer:?}"
            );
            assert_eq!(took, Duration::ZERO, "{shown}");
        },
    )
    .await;
    let second = registry().rate_limit("second").unwrap().snapshot();
    assert_eq!((second.admitted, second.rejected), (1, 1), "and nothing is reserved for them");
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_lets_nobody_wait_beyond_it() {
    #[bulkhead(name = "taken", max_concurrent = 1, max_wait = "1h")]
    async fn waits() -> Answer {
        Ok(1)
    }
    let taken = registry().bulkhead("taken").unwrap();
    let _permit = taken.try_acquire().unwrap();
    under_each(
        || Box::pin(waits()),
        |shown, answer, took| {
            assert!(answer.is_err(), "{shown}: {answer:?}");
            // There the time of the attempt ends first.
            let bound = if shown == "timeout, attempts" { 450 * MS } else { BOUND };
            assert_eq!(took, bound, "{shown}");
        },
    )
    .await;
    sleep(MS).await;
    assert_eq!(taken.snapshot().waiting, 0, "not even those that were spawned");
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_refuses_at_once_when_no_time_is_left() {
    #[bulkhead(name = "late", max_concurrent = 1, max_wait = "1h")]
    async fn late() -> Answer {
        Ok(1)
    }
    #[retry(within = "100ms", max = 2, base = "1ms", when = |_| false)]
    async fn lingers() -> Answer {
        sleep(200 * MS).await;
        let start = Instant::now();
        let answer = late().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        answer
    }
    let _permit = registry().bulkhead("late").unwrap().try_acquire().unwrap();
    assert_eq!(lingers().await, Err(Fault::Rejected(Rejected::BulkheadFull { name: "late" })));
}

#[tokio::test(start_paused = true)]
async fn an_inner_timeout_is_cut_to_it() {
    #[timeout("1h", name = "long")]
    async fn waits() -> Answer {
        pending().await
    }
    under_each(
        || Box::pin(waits()),
        |shown, answer, took| {
            assert!(matches!(answer, Err(Fault::Rejected(Rejected::TimedOut { .. }))), "{shown}: {answer:?}");
            assert_eq!(took, BOUND, "{shown}");
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn no_hedge_waits_beyond_it_or_starts_after_it() {
    #[hedge(name = "slow", after = "501ms", max = 3, budget = "none")]
    async fn slow() -> Answer {
        sleep(2_000 * MS).await;
        DOWN
    }
    let hedges = || registry().hedge("slow").unwrap().snapshot();
    assert_eq!(within(|| Box::pin(slow())).await, DOWN);
    assert_eq!(within_spawned(|| Box::pin(slow())).await, DOWN);
    assert_eq!(hedges().hedges, 0);
    assert!(in_time(|| Box::pin(slow())).await.is_err());
    assert_eq!((hedges().hedges, hedges().deadline), (0, 3));
    assert_eq!(slow().await, DOWN);
    assert_eq!(hedges().hedges, 2, "where nothing bounds it, it does");
}

#[tokio::test(start_paused = true)]
async fn attempts_of_a_hedge_see_the_deadline_around_it() {
    static SEEN: Hedge = Hedge::new("seen").after(Duration::from_millis(100)).budget("none");
    let start = Instant::now();
    let seen = Timeout::new(BOUND).call(SEEN.call(|| async {
        assert_eq!(deadline(), Some(start + BOUND));
        sleep(if resilient_runtime::attempt() == 1 { 1_000 * MS } else { MS }).await;
        Ok::<_, std::io::Error>(deadline())
    }));
    assert_eq!(seen.await.unwrap(), Some(start + BOUND));
}

#[tokio::test(start_paused = true)]
async fn the_nearest_of_several_holds() {
    #[timeout("2s")]
    #[retry(within = "1s", max = 3, base = "300ms", jitter = "none", backoff = "fixed", budget = "none")]
    #[timeout("200ms")]
    async fn several() -> Result<u32, Fault<()>> {
        pending().await
    }
    let start = Instant::now();
    assert!(several().await.is_err());
    // 200 + 300 + 200, and another wait would end at the second.
    assert_eq!(start.elapsed(), 700 * MS);
}

use futures::FutureExt as _;
use resilient_runtime::Hedge;

use super::*;

#[circuit_breaker(name = "ratio", failure_rate = 1.0, window = "30s", min_calls = 2)]
async fn ratio(step: char) -> Result<(), Error> {
    answer(step)
}

#[tokio::test(start_paused = true)]
async fn below_the_throughput_nothing_opens() {
    assert_eq!(play(ratio, "F").await, "F");
    advance(secs(31)).await;
    assert_eq!(play(ratio, "F").await, "F", "the first one is out of the window");
    assert_eq!(play(ratio, "FS").await, "FO");
}

#[tokio::test(start_paused = true)]
async fn a_failure_counts_to_the_last_moment_of_the_window() {
    assert_eq!(play(ratio, "F").await, "F");
    advance(ms(29_999)).await;
    assert_eq!(play(ratio, "FS").await, "FO");
}

#[tokio::test(start_paused = true)]
async fn the_break_is_over_at_its_very_end() {
    play(ratio, "FF").await;
    advance(ms(29_999)).await;
    assert_eq!(play(ratio, "S").await, "O");
    advance(ms(1)).await;
    assert_eq!(play(ratio, "S").await, "S");
}

#[tokio::test(start_paused = true)]
async fn a_rejection_says_when_to_come_back() {
    play(ratio, "FF").await;
    advance(secs(12)).await;
    let Err(Error::Refused(refused)) = ratio('S').await else { panic!("it is open") };
    assert_eq!(refused.retry_after(), Some(secs(18)));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_not_handled_closes_from_half_open() {
    play(ratio, "FF").await;
    advance(secs(30)).await;
    assert_eq!(play(ratio, "PP").await, "PP");
    assert_eq!(state("ratio"), CircuitState::Closed);
}

#[timeout("1s", name = "bounded")]
async fn bounded(answer: tokio::sync::oneshot::Receiver<u32>) -> Result<u32, Error> {
    answer.await.or(Err(Down))
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_there_when_the_time_is_up_wins() {
    let (tell, told) = tokio::sync::oneshot::channel();
    let mut call = Box::pin(bounded(told));
    assert!(futures_poll(&mut call).await.is_none());
    advance(secs(5)).await;
    tell.send(7).expect("somebody waits");
    assert_eq!(call.await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_the_very_deadline_wins() {
    #[timeout("1s")]
    async fn last_moment() -> Result<u32, Error> {
        sleep(secs(1)).await;
        Ok(1)
    }
    assert_eq!(last_moment().await, Ok(1));
}

/// Polls once.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(cx) {
            std::task::Poll::Ready(out) => Some(out),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[retry(max = 5, base = "0s", budget = "none")]
async fn at_once() -> Result<(), Error> {
    ran();
    Err(Down)
}

#[test]
fn a_delay_of_zero_needs_no_timer() {
    let mut call = std::pin::pin!(at_once());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    while call.as_mut().poll(&mut cx).is_pending() {}
    assert_eq!(runs(), 5);
}

#[retry(
    max = 4,
    base = "1s",
    backoff = "fixed",
    jitter = "none",
    budget = "none",
    when = |error: &Error| { note(&format!("when {error:?}")); *error != NotMine },
    when_ok = |value: &u32| { note(&format!("when_ok {value}")); *value < 3 },
    on_retry = |attempt, delay, cause: RetryCause<'_, Error>| note(&format!("{attempt} {delay:?} {cause:?}"))
)]
async fn noted(script: &[Result<u32, Error>]) -> Result<u32, Error> {
    note("body");
    script[attempt() as usize - 1].clone()
}

thread_local! {
    static NOTES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn note(line: &str) {
    NOTES.with_borrow_mut(|notes| notes.push(line.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn each_answer_is_judged_once_and_the_hook_comes_before_the_wait() {
    assert_eq!(noted(&[Err(Declined), Ok(1), Err(Busy(secs(3))), Ok(2)]).await, Ok(2));
    let expected = [
        "body",
        "when Declined",
        "1 1s Failed(Declined)",
        "body",
        "when_ok 1",
        "2 1s Unwanted",
        "body",
        "when Busy(3s)",
        "3 3s Failed(Busy(3s))",
        "body",
        "when_ok 2",
    ];
    assert_eq!(NOTES.take(), expected);
    assert_eq!(noted(&[Err(NotMine)]).await, Err(NotMine));
    assert_eq!(NOTES.take(), ["body", "when NotMine"]);
}

/// Milliseconds and answers of the attempts, and what came of them: the answer, the time and how many ran.
type Timeline<'a> = (&'a [(u64, Result<u32, Error>)], Result<u32, Error>, u64, usize);

#[tokio::test(start_paused = true)]
async fn a_hedge_follows_its_timeline() {
    let table: [Timeline<'_>; 9] = [
        (&[(9, Ok(1))], Ok(1), 9, 1),
        (&[(10, Ok(1))], Ok(1), 10, 1),
        (&[(11, Ok(1)), (9, Ok(2))], Ok(1), 11, 2),
        (&[(100, Ok(1)), (100, Ok(2)), (100, Ok(3))], Ok(1), 100, 3),
        (&[(100, Ok(1)), (100, Ok(2)), (5, Ok(3))], Ok(3), 25, 3),
        (&[(5, Err(Down)), (5, Err(Down)), (5, Err(Busy(secs(1))))], Err(Down), 15, 3),
        (&[(5, Err(Busy(ms(50)))), (1, Ok(2))], Ok(2), 56, 2),
        (&[(5, Err(Declined))], Err(Declined), 5, 1),
        (&[(50, Err(Down)), (5, Err(NotMine))], Err(NotMine), 15, 2),
    ];
    for (script, answer, millis, attempts) in table {
        let hedge = Hedge::new("timeline").after(ms(10)).max(3).budget("none");
        let (start, started) = (Instant::now(), Cell::new(0));
        let attempt = || {
            let (time, answer) = script[started.replace(started.get() + 1)].clone();
            sleep(ms(time)).map(|()| answer)
        };
        let came = hedge.call(attempt).await;
        assert_eq!((came, start.elapsed(), started.get()), (answer, ms(millis), attempts), "{script:?}");
    }
}

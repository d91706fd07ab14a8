use super::*;

#[retry(max = 2, base = "0s", budget = "none")]
async fn inner(seen: &RefCell<Vec<(u32, u32)>>, outer: u32) -> Result<(), Error> {
    seen.borrow_mut().push((outer, attempt()));
    Err(Down)
}

#[retry(max = 2, base = "0s", budget = "none")]
async fn outer(seen: &RefCell<Vec<(u32, u32)>>) -> Result<(), Error> {
    let before = attempt();
    let out = inner(seen, before).await;
    assert_eq!(attempt(), before, "restored once the call inside is over");
    out
}

#[tokio::test(start_paused = true)]
async fn nested_retries_know_their_own_attempts() {
    let seen = RefCell::default();
    outer(&seen).await.expect_err("always");
    assert_eq!(seen.take(), [(1, 1), (1, 2), (2, 1), (2, 2)]);
    assert_eq!(attempt(), 1);
}

#[timeout("10s")]
async fn asks() -> Result<Option<Duration>, Error> {
    Ok(deadline().map(|at| at - Instant::now()))
}

#[timeout("4s")]
#[retry(max = 2, within = "3s", base = "0s", budget = "none")]
async fn bounded(first: Duration) -> Result<Option<Duration>, Error> {
    if attempt() == 1 {
        sleep(first).await;
        return Err(Down);
    }
    asks().await
}

#[tokio::test(start_paused = true)]
async fn the_nearest_deadline_holds_for_all_inside() {
    assert_eq!(bounded(secs(1)).await, Ok(Some(secs(2))));
    assert_eq!(asks().await, Ok(Some(secs(10))));
    assert_eq!(deadline(), None);
}

#[retry(max = 2, base = "0s", budget = "none", within = "5s")]
async fn spawns() -> Result<(u32, Option<Instant>), Error> {
    if attempt() == 1 {
        return Err(Down);
    }
    let plain = tokio::spawn(async { (attempt(), deadline()) });
    assert_eq!(plain.await.or(Err(Down))?, (1, None), "a task knows nothing of its own accord");
    tokio::spawn(inherit(async { (attempt(), deadline()) })).await.or(Err(Down))
}

#[tokio::test(start_paused = true)]
async fn spawned_work_inherits_attempt_and_deadline_when_asked() {
    let start = Instant::now();
    assert_eq!(spawns().await, Ok((2, Some(start + secs(5)))));
}

#[retry(max = 3, base = "10ms", jitter = "none", budget = "none")]
async fn counts(good: u32) -> Result<u32, Error> {
    tokio::task::yield_now().await;
    if attempt() == good { Ok(attempt()) } else { Err(Down) }
}

#[tokio::test(start_paused = true)]
async fn calls_side_by_side_keep_their_frames_apart() {
    assert_eq!(tokio::join!(counts(1), counts(2), counts(3)), (Ok(1), Ok(2), Ok(3)));
}

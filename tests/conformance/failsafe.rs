use super::*;

#[retry(
    max = 7,
    base = "1s",
    factor = 2.0,
    max_delay = "10s",
    jitter = "none",
    budget = "none",
    on_retry = waits_noted
)]
async fn exponential() -> Result<(), Error> {
    Err(Down)
}

#[tokio::test(start_paused = true)]
async fn delays_double_up_to_the_cap() {
    exponential().await.expect_err("always");
    assert_eq!(waits(), [1, 2, 4, 8, 10, 10].map(secs));
}

#[retry(max = 5, base = "1s", backoff = "linear", jitter = "none", budget = "none", on_retry = waits_noted)]
async fn linear() -> Result<(), Error> {
    Err(Down)
}

#[retry(
    max = 6,
    base = "1s",
    backoff = "fibonacci",
    jitter = "none",
    budget = "none",
    on_retry = waits_noted
)]
async fn fibonacci() -> Result<(), Error> {
    Err(Down)
}

#[tokio::test(start_paused = true)]
async fn other_shapes_grow_as_they_are_called() {
    linear().await.expect_err("always");
    assert_eq!(waits(), [1, 2, 3, 4].map(secs));
    fibonacci().await.expect_err("always");
    assert_eq!(waits(), [1, 2, 3, 5, 8].map(secs));
}

#[retry(max = 3, base = "0s", budget = "none", when_ok = Vec::is_empty)]
async fn list() -> Result<Vec<u32>, Error> {
    ran();
    Ok(Vec::new())
}

#[tokio::test(start_paused = true)]
async fn a_result_may_be_retried_and_the_last_one_is_returned() {
    assert_eq!((list().await, runs()), (Ok(Vec::new()), 3));
}

#[fallback(fn = [first, second])]
async fn primary() -> Result<&'static str, Error> {
    Err(Down)
}

fn first() -> Result<&'static str, Error> {
    ran();
    Err(Declined)
}

async fn second() -> Result<&'static str, Error> {
    sleep(ms(1)).await;
    ran();
    Ok("second")
}

#[tokio::test(start_paused = true)]
async fn a_fallback_may_have_a_fallback() {
    assert_eq!((primary().await, runs()), (Ok("second"), 2));
}

use super::*;

#[retry(
    max = 2,
    base = "1s",
    jitter = "none",
    max_retry_after = "20s",
    within = "1m",
    budget = "none",
    on_retry = waits_noted
)]
async fn obedient(error: Error) -> Result<(), Error> {
    Err(error)
}

async fn waited(asked: Duration) -> Vec<Duration> {
    assert_eq!(obedient(Busy(asked)).await, Err(Busy(asked)));
    waits()
}

#[tokio::test(start_paused = true)]
async fn never_earlier_than_asked_and_never_parked() {
    assert_eq!(waited(Duration::ZERO).await, [secs(1)]);
    assert_eq!(waited(ms(999)).await, [secs(1)]);
    assert_eq!(waited(secs(15)).await, [secs(15)], "more than max_delay");
    assert_eq!(waited(secs(20)).await, [secs(20)]);
    assert_eq!(waited(secs(20) + Duration::from_nanos(1)).await, []);
    assert_eq!(waited(Duration::MAX).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_hint_past_the_time_left_ends_the_call() {
    configure().retry("conformance::retry_after::obedient", |r| r.within(secs(15))).install().expect("fine");
    assert_eq!(waited(secs(14)).await, [secs(14)]);
    assert_eq!(waited(secs(15)).await, []);
}

#[retry(max = 3, base = "1s", jitter = "none", budget = "none", on_retry = waits_noted)]
#[circuit_breaker(name = "soon", failure_threshold = 1, success_threshold = 1, reset_timeout = "10s")]
async fn soon() -> Result<(), Error> {
    answer(if attempt() == 1 { 'F' } else { 'S' })
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_waited_out_and_a_base_longer() {
    assert_eq!(soon().await, Ok(()));
    assert_eq!(waits(), [secs(1), secs(9) + secs(1)]);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_open_for_longer_than_the_cap_surfaces_at_once() {
    configure()
        .circuit_breaker("soon", |b| b.reset_timeout(secs(11) + ms(1)))
        .install()
        .expect("nothing is wrong");
    let error = soon().await.expect_err("it stays open");
    let left = secs(10) + ms(1);
    assert_eq!(error, Error::Refused(Rejected::CircuitOpen { name: "soon", retry_after: Some(left) }));
    assert_eq!(waits(), [secs(1)]);
}

use super::*;

#[retry(max = 10, jitter = "none", on_retry = waits_noted)]
async fn schedule() -> Result<(), Error> {
    Err(Down)
}

#[tokio::test(start_paused = true)]
async fn delays_double_from_a_tenth_of_a_second_to_ten() {
    schedule().await.expect_err("always");
    assert_eq!(waits(), [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000].map(ms));
}

#[retry(max = 500, base = "0s")]
async fn spends() -> Result<(), Error> {
    ran();
    Err(Down)
}

#[retry(base = "0s")]
async fn thrice() -> Result<(), Error> {
    ran();
    Err(Down)
}

#[tokio::test(start_paused = true)]
async fn three_attempts_which_one_budget_pays_for_all() {
    thrice().await.expect_err("always");
    assert_eq!(runs(), 3);
    spends().await.expect_err("always");
    assert_eq!(runs(), 1 + 108, "two of a hundred and ten were spent before");
    thrice().await.expect_err("always");
    assert_eq!(runs(), 1);
}

#[circuit_breaker(name = "plain")]
async fn plain(step: char) -> Result<(), Error> {
    answer(step)
}

#[tokio::test(start_paused = true)]
async fn five_failures_open_for_half_a_minute_and_two_successes_close() {
    assert_eq!(play(plain, "FFFFSFFFFFS").await, "FFFFSFFFFFO");
    advance(ms(29_999)).await;
    assert_eq!(play(plain, "S").await, "O");
    advance(ms(1)).await;
    let probe = breaker("plain").acquire().expect("one at once");
    assert_eq!(play(plain, "S").await, "O");
    probe.success();
    assert_eq!(play(plain, "F").await, "F");
    advance(secs(30)).await;
    assert_eq!(play(plain, "SSF").await, "SSF");
    assert_eq!(state("plain"), CircuitState::Closed);
}

#[retry(max = 3, base = "0s", budget = "none")]
#[circuit_breaker(name = "keyed once", key = counted(tenant))]
async fn keyed(tenant: &str) -> Result<(), Error> {
    ran();
    answer(if tenant.is_empty() { 'S' } else { 'F' })
}

fn counted(tenant: &str) -> &str {
    WAITS.with_borrow_mut(|asked| asked.push(ms(runs_so_far())));
    tenant
}

fn runs_so_far() -> u64 {
    u64::from(RUNS.get())
}

#[tokio::test(start_paused = true)]
async fn a_key_is_asked_for_once_before_each_body() {
    keyed("acme").await.expect_err("always");
    assert_eq!((waits(), runs()), ([0, 1, 2].map(ms).to_vec(), 3));
}

use super::*;

#[circuit_breaker(
    name = "requests",
    failure_threshold = 2,
    half_open_calls = 3,
    success_threshold = 3,
    reset_timeout = "1s"
)]
async fn requests(step: char, took: Duration) -> Result<(), Error> {
    sleep(took).await;
    answer(step)
}

fn at_once(step: char) -> impl Future<Output = Result<(), Error>> {
    requests(step, Duration::ZERO)
}

async fn to_half_open() {
    play(at_once, "FF").await;
    advance(secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_success_clears_the_consecutive_failures() {
    assert_eq!(play(at_once, "FSFSFXFS").await, "FSFSFXFO", "what is ignored does not clear them");
}

#[circuit_breaker(name = "rolling", failure_rate = 0.6, window = "30s", min_calls = 3)]
async fn rolling(step: char) -> Result<(), Error> {
    answer(step)
}

#[tokio::test(start_paused = true)]
async fn a_window_rolls_on_by_a_tenth() {
    let seen = || (breaker("rolling").snapshot().window_calls, breaker("rolling").snapshot().window_failed);
    play(rolling, "SFSFSFSFSF").await;
    for (wait, step) in [(3, "S"), (2, "S"), (2, "S"), (2, "F")] {
        advance(secs(wait)).await;
        play(rolling, step).await;
    }
    for _ in 0..6 {
        advance(secs(3)).await;
        play(rolling, "SF").await;
    }
    assert_eq!(seen(), (Some(26), Some(12)));
    advance(secs(3)).await;
    assert_eq!(seen(), (Some(16), Some(7)), "the first ten are gone");
    assert_eq!(play(rolling, "FFFFFF").await, "FFFFFF");
    assert_eq!((seen(), state("rolling")), ((Some(22), Some(13)), CircuitState::Closed));
    assert_eq!(play(rolling, "FS").await, "FO", "fourteen of twenty-three");
}

#[tokio::test(start_paused = true)]
async fn half_open_takes_so_many_requests_at_once_and_no_more() {
    to_half_open().await;
    let slow = [(); 3].map(|()| tokio::spawn(requests('S', ms(500))));
    tokio::task::yield_now().await;
    assert_eq!(play(at_once, "SS").await, "OO");
    for call in slow {
        call.await.expect("no panic").expect("a probe");
    }
    assert_eq!(state("requests"), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_excluded_result_gives_its_slot_back() {
    to_half_open().await;
    assert_eq!(play(at_once, "XXXXXXSSS").await, "XXXXXXSSS");
    assert_eq!(state("requests"), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn results_of_an_earlier_generation_do_not_count() {
    let late = [(); 2].map(|()| tokio::spawn(requests('F', secs(2))));
    let good = tokio::spawn(requests('S', secs(1) + ms(10)));
    tokio::task::yield_now().await;
    to_half_open().await;
    play(at_once, "SS").await;
    good.await.expect("no panic").expect("a success from before the outage");
    assert_eq!(state("requests"), CircuitState::HalfOpen);
    play(at_once, "S").await;
    for call in late {
        call.await.expect("no panic").expect_err("a failure from before the outage");
    }
    assert_eq!(state("requests"), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_result_of_an_earlier_trial_does_not_count_in_the_next() {
    to_half_open().await;
    let late = tokio::spawn(requests('F', secs(2)));
    tokio::task::yield_now().await;
    play(at_once, "F").await;
    advance(secs(1)).await;
    play(at_once, "SS").await;
    late.await.expect("no panic").expect_err("a failure of the first trial");
    assert_eq!(state("requests"), CircuitState::HalfOpen);
    play(at_once, "S").await;
    assert_eq!(state("requests"), CircuitState::Closed);
}

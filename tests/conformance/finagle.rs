use super::*;

#[retry(max = 500, base = "0s", budget = "shared")]
async fn spends() -> Result<(), Error> {
    ran();
    Err(Down)
}

#[retry(max = 2, base = "0s", budget = "shared")]
async fn earns(step: char) -> Result<(), Error> {
    ran();
    answer(step)
}

#[tokio::test(start_paused = true)]
async fn a_hundred_and_a_reserve_of_ten_then_a_fifth_per_call_and_ten_a_second() {
    spends().await.expect_err("always");
    assert_eq!(runs(), 1 + 110);
    for _ in 0..4 {
        earns('S').await.expect("a success");
    }
    earns('F').await.expect_err("a failure");
    assert_eq!(runs(), 5 + 1, "five calls have earned one retry");
    earns('F').await.expect_err("a failure");
    assert_eq!(runs(), 1);
    advance(ms(100)).await;
    earns('F').await.expect_err("a failure");
    assert_eq!(runs(), 2, "a tenth of a second is worth one");
    advance(secs(60)).await;
    spends().await.expect_err("always");
    assert_eq!(runs(), 1 + 10, "the reserve holds ten");
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_steady_traffic_costs_a_fifth_more_calls() {
    spends().await.expect_err("always");
    runs();
    for _ in 0..1_000 {
        earns('F').await.expect_err("a failure");
    }
    assert_eq!(runs(), 1_200);
}

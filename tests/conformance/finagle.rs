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

/// A budget of tower adds a third where three tenths are written, and as much as there is above a half.
#[tokio::test(start_paused = true)]
async fn any_share_is_earned_as_it_is_written() {
    for (share, earned) in [(0.01, 1), (0.3, 30), (0.4, 40), (0.6, 60), (0.7, 70), (0.9, 90), (1.0, 100)] {
        configure().budget("shared", |b| b.capacity(200).credit(share).reserve(0)).install().expect("fine");
        for _ in 0..2 {
            // The second one takes what the first one earned as it gave up.
            spends().await.expect_err("always");
        }
        for _ in 0..100 {
            earns('S').await.expect("a success");
        }
        assert_eq!(registry().budget("shared").map(|budget| budget.left), Some(earned), "{share}");
    }
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

use super::*;

const SEEDS: u64 = 300;
const BASE: f64 = 0.1;

macro_rules! jittered {
    ($($name:ident = $jitter:literal),*) => {$(
        #[retry(max = 8, base = "100ms", max_delay = "2s", jitter = $jitter, budget = "none", on_retry = waits_noted)]
        async fn $name() -> Result<(), Error> {
            Err(Down)
        }
    )*};
}

jittered!(full = "full", equal = "equal", decorrelated = "decorrelated");

/// Seven delays in seconds of each of many calls.
async fn sample<F: Future<Output = Result<(), Error>>>(call: fn() -> F) -> Vec<Vec<f64>> {
    let mut all = Vec::new();
    for seed in 0..SEEDS {
        test_util::seed(seed);
        call().await.expect_err("always");
        all.push(waits().iter().map(Duration::as_secs_f64).collect());
    }
    all
}

/// The delay without jitter before retry `n`.
fn nominal(n: i32) -> f64 {
    (BASE * 2_f64.powi(n)).min(2.0)
}

/// Each delay lies in its bounds, and the delays fill them.
fn assert_fills(sample: &[Vec<f64>], bounds: impl Fn(f64) -> (f64, f64)) {
    for (n, nominal) in (0..7).map(nominal).enumerate() {
        let (least, most) = bounds(nominal);
        let delays: Vec<f64> = sample.iter().map(|delays| delays[n]).collect();
        let (low, high) = delays.iter().fold((f64::MAX, 0.0_f64), |(l, h), &d| (l.min(d), h.max(d)));
        let slack = (most - least) / 20.0;
        assert!((least..least + slack).contains(&low), "{n}: {low} of {least}..{most}");
        assert!((most - slack..=most).contains(&high), "{n}: {high} of {least}..{most}");
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let mean = delays.iter().sum::<f64>() / delays.len() as f64;
        let off = (mean - f64::midpoint(least, most)).abs();
        assert!(off < slack * 2.0, "{n}: mean {mean} of {least}..{most}");
    }
}

#[tokio::test(start_paused = true)]
async fn full_is_anything_up_to_the_delay() {
    assert_fills(&sample(full).await, |nominal| (0.0, nominal));
}

#[tokio::test(start_paused = true)]
async fn equal_is_half_and_anything_up_to_the_other_half() {
    assert_fills(&sample(equal).await, |nominal| (nominal / 2.0, nominal));
}

#[tokio::test(start_paused = true)]
async fn decorrelated_is_from_the_base_to_three_times_the_one_before() {
    let sample = sample(decorrelated).await;
    let befores = |delays: &[f64]| [&[BASE], delays].concat();
    let pairs = sample.iter().flat_map(|delays| befores(delays).into_iter().zip(delays.clone()));
    let (mut widest, mut capped) = (0.0_f64, 0);
    for (before, delay) in pairs {
        let most = (3.0 * before).min(2.0);
        assert!((BASE..=most + 1e-9).contains(&delay), "{delay} after {before}");
        widest = widest.max((delay - BASE) / (3.0 * before - BASE));
        capped += u32::from(delay >= 2.0);
    }
    assert!(widest > 0.99 && capped > 10, "{widest}, {capped} at the cap");
}

#[retry(max = 8, base = "100ms", max_delay = "100ms", jitter = "decorrelated", budget = "none", on_retry = waits_noted)]
async fn capped() -> Result<(), Error> {
    Err(Down)
}

#[tokio::test(start_paused = true)]
async fn the_cap_holds_after_jitter() {
    for delays in sample(capped).await {
        assert_eq!(delays, [BASE; 7]);
    }
}

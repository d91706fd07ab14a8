//! This crate, through its attributes, each function with a policy of its own.

use resilient_runtime::{bulkhead, circuit_breaker, fallback, rate_limit, retry, timeout};

use crate::bodies::{Answer, Short, down, half, second_time, short, work, yields};

#[circuit_breaker(name = "consecutive")]
pub async fn consecutive(n: u64) -> Answer {
    work(n).await
}

#[circuit_breaker(name = "short")]
pub async fn consecutive_short(n: u64) -> Result<u64, Short> {
    short(n).await
}

#[circuit_breaker(name = "count", failure_rate = 0.5, window = 100, min_calls = 10)]
pub async fn count(n: u64) -> Answer {
    work(n).await
}

/// Calls for which a window longer than that holds what [`mark`] puts in.
pub const HELD: u64 = 32_768;

#[circuit_breaker(name = "marked", failure_rate = 0.5, window = 65536, min_calls = 10)]
pub async fn marked(n: u64) -> Answer {
    work(n).await
}

#[circuit_breaker(name = "marked", failure_rate = 0.5, window = 65536, min_calls = 10)]
pub async fn mark(n: u64) -> Answer {
    down(n).await
}

#[circuit_breaker(name = "time", failure_rate = 0.5, window = "10s", min_calls = 10)]
pub async fn time(n: u64) -> Answer {
    work(n).await
}

#[circuit_breaker(name = "filled", failure_rate = 0.5, window = "10s", min_calls = 10)]
pub async fn filled(n: u64) -> Answer {
    work(n).await
}

#[circuit_breaker(name = "half, consecutive")]
pub async fn half_consecutive(n: u64) -> Answer {
    half(n).await
}

#[circuit_breaker(name = "half, count", failure_rate = 0.9, window = 100, min_calls = 10)]
pub async fn half_count(n: u64) -> Answer {
    half(n).await
}

#[circuit_breaker(name = "half, time", failure_rate = 0.9, window = "10s", min_calls = 10)]
pub async fn half_time(n: u64) -> Answer {
    half(n).await
}

#[circuit_breaker(name = "open", failure_threshold = 1, reset_timeout = "600s")]
pub async fn open(n: u64) -> Answer {
    down(n).await
}

#[circuit_breaker(name = "yields")]
pub async fn breaker_yields(n: u64) -> Answer {
    yields(n).await
}

#[retry]
pub async fn first_attempt(n: u64) -> Answer {
    work(n).await
}

#[retry(base = "0s", budget = "none")]
pub async fn one_failure(n: u64) -> Answer {
    second_time(n).await
}

#[timeout("2s")]
pub async fn ready(n: u64) -> Answer {
    work(n).await
}

#[timeout("2s")]
pub async fn pends(n: u64) -> Answer {
    yields(n).await
}

#[timeout("2s")]
pub async fn timeout_yields(n: u64) -> Answer {
    yields(n).await
}

#[fallback(value = 0)]
pub async fn covered(n: u64) -> Answer {
    work(n).await
}

#[fallback(value = 0)]
#[retry]
#[circuit_breaker(name = "stacked")]
#[timeout("2s")]
pub async fn stack(n: u64) -> Answer {
    work(n).await
}

#[bulkhead(name = "roomy", max_concurrent = 4)]
pub async fn confined(n: u64) -> Answer {
    work(n).await
}

#[fallback(value = 0)]
#[retry]
#[circuit_breaker(name = "five")]
#[timeout("2s")]
#[bulkhead(name = "five", max_concurrent = 4)]
pub async fn five(n: u64) -> Answer {
    work(n).await
}

#[rate_limit(name = "plenty", rate = "2000000000/s")]
pub async fn limited(n: u64) -> Answer {
    work(n).await
}

/// Bytes of each future over that of its body, arguments aside.
pub fn sizes() -> Vec<(&'static str, usize)> {
    async fn body() -> Answer {
        yields(1).await
    }
    #[circuit_breaker(name = "size")]
    async fn breaker() -> Answer {
        yields(1).await
    }
    #[retry]
    async fn retry() -> Answer {
        yields(1).await
    }
    #[timeout("2s")]
    async fn timeout() -> Answer {
        yields(1).await
    }
    #[fallback(value = 0)]
    #[retry]
    #[circuit_breaker(name = "size of a stack")]
    #[timeout("2s")]
    async fn stack() -> Answer {
        yields(1).await
    }
    let bare = size_of_val(&body());
    let guarded = [
        ("breaker", size_of_val(&breaker())),
        ("retry", size_of_val(&retry())),
        ("timeout", size_of_val(&timeout())),
        ("stack", size_of_val(&stack())),
    ];
    guarded.map(|(name, size)| (name, size - bare)).to_vec()
}

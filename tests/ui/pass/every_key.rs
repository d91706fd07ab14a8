use resilient_runtime::{
    Rate, bulkhead, cache, circuit_breaker, coalesce, fallback, hedge, load_shed, rate_limit, retry, timeout,
};
use std::time::Duration;

const ATTEMPTS: u32 = 4;
const BASE: Duration = Duration::from_millis(10);
const LIMIT: Duration = Duration::from_secs(60);
const RATE: f64 = 0.5;
const CALLS: Rate = Rate::new(5, Duration::from_millis(250));

fn is_missing(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound
}

#[fallback(value = String::new(), when = is_missing)]
#[cache(
    ttl = LIMIT,
    stale_if_error = "5m",
    stale_while_revalidate = BASE,
    max_entries = ATTEMPTS,
    key = (tenant, page.as_str()),
    name = "pages"
)]
#[coalesce(key = (tenant, &page), name = "pages")]
#[timeout(LIMIT, name = "total")]
#[retry(
    max = ATTEMPTS,
    backoff = "exponential",
    base = BASE,
    factor = 2,
    max_delay = "1s",
    jitter = "equal",
    within = "1m 30s",
    when = is_missing,
    when_ok = String::is_empty,
    on_retry = |_attempt, _delay, _cause| {},
    budget = "disk",
    max_retry_after = "10s",
    nested = "once",
    no_clone(page),
    name = "load"
)]
#[circuit_breaker(
    name = "disk",
    failure_rate = RATE,
    window = "10s",
    min_calls = 10,
    slow_call = "500ms",
    slow_rate = 1,
    reset_timeout = "10s",
    reset_factor = 1.5,
    max_reset_timeout = "1h",
    half_open_calls = 2,
    success_threshold = 3,
    half_open_timeout = "5s",
    ramp = "30s",
    health = "disk",
    readiness = "degrade",
    failure_when = Result::is_err,
    ignore_when = is_missing,
    abandoned = "failure",
    key = tenant,
    max_keys = 100
)]
#[hedge(after = BASE, max = ATTEMPTS, when = is_missing, budget = "disk", no_clone(page), name = "load")]
#[load_shed(
    name = "reads",
    priority = "important",
    mode = "concurrency",
    algorithm = "aimd",
    initial_limit = ATTEMPTS,
    min_limit = 2,
    max_limit = 50,
    queue_time = BASE,
    window = "1s",
    optional_at = RATE,
    normal_at = 0.7,
    important_at = 1,
    critical_at = 1.5
)]
#[load_shed(name = "disk", mode = "throttle", k = 2, window = LIMIT, min_calls = ATTEMPTS)]
#[rate_limit(name = "site", rate = CALLS, burst = ATTEMPTS, max_wait = LIMIT)]
#[rate_limit(name = "tenants", rate = "10/s", burst = 5, max_wait = "1s", key = tenant, max_keys = 50)]
#[timeout("1.5s")]
#[bulkhead(name = "pool", max_concurrent = ATTEMPTS, max_wait = LIMIT, max_queue = 10)]
async fn load(tenant: u64, page: String) -> std::io::Result<String> {
    tokio::fs::read_to_string(format!("{tenant}/{page}")).await
}

#[circuit_breaker(name = "tape", failure_threshold = ATTEMPTS, abandoned = "ignore")]
async fn rewind() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    let _futures = (load(1, String::new()), rewind());
}

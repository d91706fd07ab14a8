use resilient_runtime::{
    Rate, bulkhead, cache, circuit_breaker, coalesce, fallback, health_check, hedge, load_shed, rate_limit,
    resilient, retry, timeout,
};
use std::time::Duration;

const ATTEMPTS: u32 = 4;
const BASE: Duration = Duration::from_millis(10);
const LIMIT: Duration = Duration::from_secs(60);
const RATE: f64 = 0.5;
const ON: bool = true;
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
    name = "pages",
    enabled = ON
)]
#[coalesce(key = (tenant, &page), name = "pages", enabled = true)]
#[timeout(LIMIT, name = "total", mode = "observe", enabled = ON)]
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
    name = "load",
    enabled = true
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
    max_keys = 100,
    mode = "enforce",
    enabled = ON
)]
#[hedge(
    after = BASE,
    max = ATTEMPTS,
    when = is_missing,
    when_ok = String::is_empty,
    budget = "disk",
    no_clone(page),
    name = "load",
    enabled = false
)]
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
    critical_at = 1.5,
    readiness = "fail",
    enabled = ON
)]
#[load_shed(name = "disk", mode = "throttle", k = 2, window = LIMIT, min_calls = ATTEMPTS)]
#[rate_limit(name = "site", rate = CALLS, burst = ATTEMPTS, max_wait = LIMIT, mode = "observe", enabled = ON)]
#[rate_limit(name = "tenants", rate = "10/s", burst = 5, max_wait = "1s", key = tenant, max_keys = 50)]
#[timeout("1.5s")]
#[bulkhead(
    name = "pool",
    max_concurrent = ATTEMPTS,
    max_wait = LIMIT,
    max_queue = 10,
    mode = "observe",
    enabled = ON
)]
async fn load(tenant: u64, page: String) -> std::io::Result<String> {
    tokio::fs::read_to_string(format!("{tenant}/{page}")).await
}

#[circuit_breaker(name = "tape", failure_threshold = ATTEMPTS, abandoned = "ignore")]
async fn rewind() -> std::io::Result<()> {
    Ok(())
}

// A window beside failures in a row is that of the slow calls.
#[circuit_breaker(
    name = "press",
    failure_threshold = 3,
    slow_call = LIMIT,
    slow_rate = 0.5,
    window = "10s",
    min_calls = ATTEMPTS
)]
async fn press() -> std::io::Result<()> {
    Ok(())
}

#[fallback(
    cached,
    key = (tenant, page.as_str()),
    when = is_missing,
    max_entries = ATTEMPTS,
    max_age = LIMIT,
    name = "archive",
    enabled = ON
)]
#[resilient("archive", no_clone(page))]
async fn unpack(tenant: u64, page: String) -> std::io::Result<String> {
    tokio::fs::read_to_string(format!("{tenant}/{page}.old")).await
}

#[fallback(fn = unpack)]
async fn find(tenant: u64, page: String) -> std::io::Result<String> {
    load(tenant, page).await
}

#[health_check(name = "disk", critical, interval = LIMIT, timeout = BASE)]
async fn disk() -> std::io::Result<()> {
    Ok(())
}

fn main() {
    let _futures = (find(1, String::new()), rewind(), press(), disk());
}

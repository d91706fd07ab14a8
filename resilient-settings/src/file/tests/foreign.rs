//! Words of other libraries.

use super::faults;

/// What a file is told that says this of one policy of the kind.
fn told(stem: &str, word: &str) -> String {
    let told = faults(&format!("[{stem}.a]\n{word} = 2\n"));
    assert_eq!(told.len(), 1, "{stem}.{word}: {told:?}");
    told.concat()
}

#[test]
fn words_of_other_libraries_lead_to_the_key() {
    for (stem, key, words) in [
        (
            "retry",
            "max",
            "max_retries retries attempts maxAttempts max-retry-attempts num_retries MaxRetryAttempts",
        ),
        (
            "retry",
            "base",
            "delay wait initial_interval waitDuration delay_ms initialBackoff median_first_retry_delay",
        ),
        ("retry", "factor", "multiplier exponential-backoff-multiplier delayFactor"),
        ("retry", "max_delay", "max_interval max_backoff exponential_max_wait_duration"),
        ("retry", "within", "deadline max_duration max_elapsed_time timeout"),
        ("retry", "jitter", "jitter_factor randomizedWaitFactor UseJitter"),
        ("retry", "budget", "retry_budget"),
        ("retry", "backoff", "strategy BackoffType"),
        ("circuit_breaker", "failure_rate", "failureRateThreshold failure_ratio error_threshold_percentage"),
        ("circuit_breaker", "failure_threshold", "threshold max_failures exceptions_allowed_before_breaking"),
        ("circuit_breaker", "window", "sliding_window_size sampling_duration failureThresholdingPeriod"),
        (
            "circuit_breaker",
            "min_calls",
            "minimum_number_of_calls min_requests MinimumThroughput minimum_calls",
        ),
        (
            "circuit_breaker",
            "reset_timeout",
            "open_for break_duration sleep_window wait-duration-in-open-state cooldown delay timeout duration \
             sleepWindowInMilliseconds",
        ),
        (
            "circuit_breaker",
            "half_open_calls",
            "probes half_open_max_calls permittedNumberOfCallsInHalfOpenState",
        ),
        ("timeout", "limit", "duration after timeout max timeout_duration timeout_ms"),
        ("rate_limit", "rate", "limit permits per_second rps period limitForPeriod limit-refresh-period"),
        ("rate_limit", "burst", "capacity token_limit burst_size"),
        ("rate_limit", "max_wait", "wait timeout timeout_duration"),
        ("bulkhead", "max_concurrent", "max_concurrent_calls limit permits MaxParallelization"),
        ("bulkhead", "max_queue", "queue max_queue_size maxQueuingActions"),
        ("bulkhead", "max_wait", "wait timeout maxWaitDuration"),
        ("cache", "ttl", "expire time_to_live"),
        ("cache", "max_entries", "size capacity max_size"),
        ("hedge", "after", "delay hedging_delay"),
        ("hedge", "max", "max_hedged_attempts"),
        ("budget", "credit", "token_ratio budget_percent"),
        ("budget", "capacity", "max_tokens"),
        ("health_check", "interval", "every period interval_seconds"),
    ] {
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            let told = told(stem, word);
            let named = told.starts_with(&format!("{stem}.a.{word}: unknown key; "));
            assert!(named && told.contains(&format!("`{key}")), "{told}");
            assert!(!told.contains("did you mean"), "{told}");
        }
    }
}

#[test]
fn a_number_that_counts_otherwise_is_said_to() {
    assert_eq!(
        told("retry", "max_retries"),
        "retry.a.max_retries: unknown key; use `max`, which counts attempts, the first included: 3 retries are \
         `max = 4`"
    );
    assert_eq!(
        told("circuit_breaker", "failure_rate_threshold"),
        "circuit_breaker.a.failure_rate_threshold: unknown key; use `failure_rate`, from 0 to 1, with `window` \
         and `min_calls`"
    );
}

#[test]
fn words_for_code_lead_to_the_attribute() {
    assert_eq!(
        told("retry", "retryExceptions"),
        "retry.a.retryExceptions: unknown key; this is code, which stands in the attribute: use `when`, which \
         sees the error: `when = Error::is_transient`"
    );
    assert!(told("fallback", "method").contains("this is code"));
}

#[test]
fn words_for_all_kinds_are_known_where_the_key_is() {
    for stem in ["timeout", "retry", "cache", "coalesce", "budget"] {
        assert!(told(stem, "disabled").contains("`enabled = false` switches it off"), "{stem}");
        assert!(told(stem, "readiness").contains("only a `circuit_breaker`"), "{stem}");
    }
    assert!(told("timeout", "dry_run").contains("`mode = \"observe\"`"));
    for word in ["mode", "dry_run"] {
        assert!(told("retry", word).contains("only what refuses calls can observe instead"), "{word}");
    }
    assert!(told("health_check", "disabled").contains("a check has no switch"));
}

#[test]
fn words_for_all_policies_are_known() {
    for (word, meant) in [
        ("strict", "use `on_unknown_policy`"),
        ("pollInterval", "use `reload`"),
        ("log_level", "`[resilient.log]`"),
        ("disabled", "use `enabled`"),
        ("dry_run", "`[circuit_breaker.default]`"),
    ] {
        let told = faults(&format!("[resilient]\n{word} = 2\n")).concat();
        assert!(told.starts_with(&format!("resilient.{word}: unknown key; ")), "{told}");
        assert!(told.contains(meant), "{told}");
    }
}

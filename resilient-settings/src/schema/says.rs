//! What an editor shows about each table and key.

pub(super) const STACK: &str = "Stacks of #[resilient(\"name\")]: what is named here is on, the rest is off.";
pub(super) const EXTENDS: &str =
    "The policy of the same kind whose settings hold where this one says nothing.";
pub(super) const LOG: &str = "How loud events are, by their names.";

/// Nothing, where there is no such table.
pub(super) fn stem(stem: &str) -> &'static str {
    match stem {
        "resilient" => "Settings that concern all policies.",
        "budget" => "Budgets that retries and hedges are paid from, by name.",
        "bulkhead" => "Caps on how many calls run at once, by name.",
        "cache" => "Answers given again, by name.",
        "circuit_breaker" => "Breakers that stop calls to what keeps failing, by name.",
        "coalesce" => "Calls that share one run, by name.",
        "fallback" => "Other answers for failures, by name.",
        "health_check" => "Checks that run in the background, by name.",
        "hedge" => "Second attempts beside slow ones, by name.",
        "load_shed" => "Refusals of the least important first, by name.",
        "rate_limit" => "Caps on how many calls start in a time, by name.",
        "retry" => "Further attempts after failures, by name.",
        "timeout" => "Times after which calls are given up, by name.",
        _ => "",
    }
}

/// Nothing, where there is no such key.
pub(super) fn key(stem: &str, key: &str) -> &'static str {
    let own = match stem {
        "resilient" => general(key),
        "circuit_breaker" => circuit_breaker(key),
        "load_shed" => load_shed(key),
        "retry" | "hedge" | "budget" => repeats(stem, key),
        _ => others(stem, key),
    };
    if own.is_empty() { common(key) } else { own }
}

fn common(key: &str) -> &'static str {
    match key {
        "enabled" => "Whether it does anything: without it calls pass as if it were not there.",
        "mode" => "Whether it refuses calls, or only reports which ones it would have refused.",
        "readiness" => "What it means for the readiness of the program when this policy refuses calls.",
        "health" => "The health check that may hold this breaker open.",
        _ => "",
    }
}

fn general(key: &str) -> &'static str {
    match key {
        "version" => "The format of this file.",
        "enabled" => "Whether any policy does anything.",
        "on_unknown_policy" => "Whether a policy that no function uses is a mistake or a warning.",
        "require" => "Whether every policy that a function uses must be named in a file.",
        "reload" => "How often the files are read again.",
        _ => "",
    }
}

fn circuit_breaker(key: &str) -> &'static str {
    match key {
        "failure_threshold" => "Failures in a row that open it.",
        "failure_rate" => "Share of failures that opens it, in place of failures in a row.",
        "window" => "Calls, or a duration, that the shares are taken over.",
        "min_calls" => "Calls in the window before a share counts.",
        "slow_call" => "Duration from which a call is slow.",
        "slow_rate" => "Share of slow calls that opens it.",
        "reset_timeout" => "Duration from open to half-open.",
        "reset_factor" => "Growth of that duration while it keeps failing.",
        "max_reset_timeout" => "Duration it grows to.",
        "half_open_calls" => "Probes at once while it is half-open.",
        "success_threshold" => "Successful probes that close it.",
        "half_open_timeout" => "Duration after which a probe loses its place to another.",
        "ramp" => "Duration over which it lets everything through again.",
        "abandoned" => "What a call counts as that was dropped.",
        "max_keys" => "Breakers kept, where there is one for each key.",
        _ => "",
    }
}

fn load_shed(key: &str) -> &'static str {
    match key {
        "mode" => {
            "What it goes by: calls at once, or what the other side accepts; and whether it refuses calls, or \
                   only reports which ones it would have refused."
        }
        "algorithm" => "How the limit finds its way.",
        "initial_limit" => "Calls at once, to begin with.",
        "min_limit" => "Calls at once that are always let in.",
        "max_limit" => "Calls at once that are never exceeded.",
        "queue_time" => "Time a call may wait inside before that means too much.",
        "window" => "Duration that figures are taken over.",
        "optional_at" => "Share of the limit from which optional calls are refused.",
        "normal_at" => "Share of the limit from which normal calls are refused.",
        "important_at" => "Share of the limit from which important calls are refused.",
        "critical_at" => "Multiple of the limit from which critical calls are refused.",
        "k" => "Multiple of the accepted calls that throttling lets through.",
        "min_calls" => "Calls in the window before throttling begins.",
        _ => "",
    }
}

fn repeats(stem: &str, key: &str) -> &'static str {
    match (stem, key) {
        ("retry" | "hedge", "max") => "Attempts, the first included.",
        ("retry", "backoff") => "How the wait between attempts grows.",
        ("retry", "base") => "The first wait.",
        ("retry", "factor") => "Growth of an exponential wait.",
        ("retry", "max_delay") => "The longest wait, jitter included.",
        ("retry", "jitter") => "How much of a wait is left to chance.",
        ("retry", "within") => "Time for everything, waits included.",
        ("retry" | "hedge", "budget") => "The budget that pays, or \"none\".",
        ("retry", "max_retry_after") => "The longest wait asked for by a server that is obeyed.",
        ("retry", "nested") => "What it does inside another retry's attempt.",
        ("hedge", "after") => "The time, or the share of calls, after which an attempt is slow.",
        ("budget", "capacity") => "Retries it holds when it is full.",
        ("budget", "credit") => "Share of a retry that each call earns.",
        ("budget", "reserve") => "Retries a second that are free.",
        _ => "",
    }
}

fn others(stem: &str, key: &str) -> &'static str {
    match (stem, key) {
        ("bulkhead", "max_concurrent") => "Calls that run at once.",
        ("bulkhead", "max_wait") => "Time a call waits for a place.",
        ("bulkhead", "max_queue") => "Calls that wait at once.",
        ("cache", "ttl") => "Time a value is fresh.",
        ("cache", "stale_if_error") => "Time beyond that in which a value stands in for a failure.",
        ("cache", "stale_while_revalidate") => "Time beyond that in which one caller renews a value for all.",
        ("cache" | "fallback", "max_entries") => "Values kept at once.",
        ("fallback", "max_age") => "Age from which a value is no answer any more.",
        ("health_check", "critical") => "Whether the program is not ready while it fails.",
        ("health_check", "interval") => "Time from the end of one run to the next.",
        ("health_check", "timeout") => "Time one run may take.",
        ("rate_limit", "rate") => "Calls that start in a time.",
        ("rate_limit", "burst") => "Calls that may start at once after a pause.",
        ("rate_limit", "max_wait") => "Time a call waits for its turn.",
        ("rate_limit", "max_keys") => "Keys with permits of their own.",
        ("timeout", "limit") => "Time after which a call is given up.",
        _ => "",
    }
}

//! `#[resilient("payments")]`: a stack whose policies the configuration chooses.

use resilient_settings::stack;

use crate::args::Foreign;
use crate::policy::bulkhead::Bulkhead;
use crate::policy::circuit_breaker::CircuitBreaker;
use crate::policy::no_clone::no_clone;
use crate::policy::rate_limit::RateLimit;
use crate::policy::retry::Retry;
use crate::policy::timeout::Timeout;
use crate::policy::{Kind, Policy, Twice};

pub(crate) static KIND: Kind = Kind {
    stem: stack::STEM,
    keys: &["no_clone", "crate"],
    foreign: &[
        Foreign {
            names: &["name", "policy", "id", "label"],
            advice: "the name stands alone: `#[resilient(\"payments\")]`",
        },
        Foreign {
            names: &["retry", "circuit_breaker", "rate_limit", "timeout", "bulkhead"],
            advice: "the configuration says what its policies do: `[policy.payments]` in a file, or \
                     `configure().retry(\"payments\", |r| r.max(3))`",
        },
        Foreign {
            names: &["fallback", "hedge", "load_shed", "cache", "coalesce"],
            advice: "this one is an attribute of its own: put it above or below",
        },
        Foreign {
            names: &["when", "when_ok", "on_retry", "key", "ignore_when", "failure_when"],
            advice: "what is code stands in the attribute of its policy: `#[retry]`, `#[circuit_breaker]` and \
                     so on, in place of `#[resilient]`",
        },
        Foreign {
            names: &[
                "max",
                "backoff",
                "base",
                "factor",
                "max_delay",
                "jitter",
                "within",
                "budget",
                "failure_threshold",
                "failure_rate",
                "window",
                "min_calls",
                "reset_timeout",
                "rate",
                "burst",
                "limit",
                "max_wait",
                "max_concurrent",
                "max_queue",
                "enabled",
                "mode",
            ],
            advice: "the configuration says it, under the policy's own name: `[policy.payments.retry]` with `max = 3`",
        },
    ],
    lone: "one name: `#[resilient(\"payments\")]`",
    twice: Twice::Never,
    read: |reader| {
        reader.lone_name("payments");
        Box::new(Retry::unset(no_clone(reader)))
    },
};

/// What it stands for, outermost first: a retry, which is all that its arguments concern, and what only the
/// configuration knows more of.
pub(crate) fn composed(retry: Box<dyn Policy>) -> [(&'static Kind, Box<dyn Policy>); 5] {
    [
        (&super::retry::KIND, retry),
        (&super::circuit_breaker::KIND, Box::new(CircuitBreaker::unset())),
        (&super::rate_limit::KIND, Box::new(RateLimit::unset())),
        (&super::timeout::KIND, Box::new(Timeout::unset())),
        (&super::bulkhead::KIND, Box::new(Bulkhead::unset())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_finds_the_policies_in_the_same_order() {
        let parts = composed(Box::new(Retry::unset(Vec::new()))).map(|(kind, _)| kind.stem);
        let told: Vec<_> = stack::STACK.iter().map(|part| part.table.name).collect();
        assert_eq!(parts.as_slice(), told);
    }
}

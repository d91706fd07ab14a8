//! What stands behind keys.

use super::*;

#[test]
fn what_is_written_does_not_reach_a_terminals_controls() {
    for text in [
        "[retry.a]\nbase = \"\\u001b[2Jx\"",
        "[retry.a]\nmax = \"\\u001b[2Jx\"",
        "[retry.a]\nbackoff = \"a\\nb\\u0007\"",
        "[rate_limit.a]\nrate = \"\\u001b[2Jx\"",
        "[retry.a]\n\"\\u001b[2Jx\" = 3",
        "[\"\\u001b[2J\".a]\nmax = 3",
        "[retry.\"\\u001b[2J\"]\nmaxx = 3",
        "[retry.a]\nextends = \"\\u001b[2J\"",
        "[policy.\"\\u001b\".hedge]\nmax = 3",
        "[resilient.log]\nopened = \"\\u001b\"",
    ] {
        let (document, mut faults) = read("resilient.toml", text);
        faults.extend(chains(&document.sections));
        assert_eq!(faults.len(), 1, "{text}");
        let told = faults[0].to_string();
        assert!(told.chars().all(|letter| letter == '\n' || !letter.is_control()), "{told:?}");
        assert!(told.contains("\\u{1b}") || told.contains("a\\nb\\u{7}"), "{told}");
    }
    let variable = setting(&crate::stem::retry::TABLE, "base", "\u{1b}[2Jx");
    assert!(variable.is_some_and(|read| read.unwrap_err().contains("\\u{1b}[2Jx")));
}

#[test]
fn a_variable_may_have_space_around_it_and_words_in_any_case() {
    use crate::stem::{bulkhead, circuit_breaker, general, hedge, retry, timeout};
    for (table, key, text, plain) in [
        (&retry::TABLE, "enabled", " true", "true"),
        (&retry::TABLE, "enabled", "FALSE", "false"),
        (&retry::TABLE, "backoff", "FIXED", "fixed"),
        (&retry::TABLE, "backoff", " Linear\n", "linear"),
        (&retry::TABLE, "base", " 5s ", "5s"),
        (&retry::TABLE, "budget", " Shared ", "Shared"),
        (&retry::TABLE, "max", " 4 ", "4"),
        (&circuit_breaker::TABLE, "failure_rate", " 0.5", "0.5"),
        (&bulkhead::TABLE, "mode", "Observe", "observe"),
        (&hedge::TABLE, "after", " p95", "p95"),
        (&general::TABLE, "reload", "OFF", "off"),
        (&general::TABLE, "reload", " 5s", "5s"),
    ] {
        assert!(matches!(setting(table, key, plain), Some(Ok(_))), "{key} = {plain}");
        assert_eq!(setting(table, key, text), setting(table, key, plain), "{key} = {text:?}");
    }
    let shared = Value::Word(crate::intern("Shared"));
    assert_eq!(setting(&retry::TABLE, "budget", "Shared"), Some(Ok((retry::BUDGET, shared))));
    for text in ["yes", "1", "", "tr ue"] {
        let told = setting(&timeout::TABLE, "enabled", text).unwrap().unwrap_err();
        assert!(told.contains("is neither true nor false"), "{told}");
    }
}

#[test]
fn no_number_of_calls_is_seen_in_words_that_floats_are_spelt_with() {
    for word in ["inf", "-infinity", "nan", "1e999"] {
        let (_, faults) = read("resilient.toml", &format!("[circuit_breaker.a]\nwindow = \"{word}\""));
        let told = faults[0].to_string();
        assert!(!told.contains(&format!("{word}s")) && !told.contains("counts calls"), "{told}");
        for share in [format!("\"{word}%\""), format!("\"{word} %\"")] {
            let (_, faults) = read("resilient.toml", &format!("[budget.a]\ncredit = {share}"));
            let told = faults[0].to_string();
            assert!(told.contains("is no number") && !told.contains("write"), "{told}");
        }
    }
}

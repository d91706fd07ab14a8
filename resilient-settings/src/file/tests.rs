#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::*;
use crate::Value;

mod foreign;
mod torn;
mod values;

fn faults(text: &str) -> Vec<String> {
    read("resilient.toml", text)
        .1
        .iter()
        .map(|fault| format!("{}: {}", fault.path(), fault.message))
        .collect()
}

#[test]
fn a_text_is_read_with_the_place_of_each_value() {
    let text = r#"
[resilient]
reload = "off"
log = { opened = "error" }

[retry.default]
max = 0x4
jitter = "none"
budget = "shared"

[timeout."shop::quote"]
limit = "1m 30s"

[circuit_breaker]
payments = { extends = "external", failure_rate = 1, window = "10s" }
external.window = 1_00

[rate_limit.partner]
rate = "5/250ms"
"#;
    let (document, faults) = read("resilient.toml", text);
    assert_eq!(faults, []);
    let sections: Vec<_> = document
        .sections
        .iter()
        .chain([&document.general])
        .map(|section| {
            let shown = |(at, value, spot): &(usize, Value, Spot)| {
                format!("{} = {value} at {}:{}", section.table.keys[*at].name, spot.line(), spot.column())
            };
            let extends = section.extends.as_ref().map_or_else(String::new, |(name, _)| format!(" < {name}"));
            let values: Vec<_> = section.values.iter().map(shown).collect();
            format!("{}.{}{extends}: {}", section.table.name, section.name, values.join(", "))
        })
        .collect();
    insta::assert_debug_snapshot!(sections);
    let levels: Vec<_> = document.log.iter().map(|it| (it.event.as_str(), it.level)).collect();
    assert_eq!(levels, [("opened", "error")]);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = r#"
[resilient]
relaod = "5s"
on_unknown_policy = "warm"

[circuit_breaker.default]
failure_rate = 50
window = "100"
min_calls = -3
abandoned = "ignored"

[circuit_breaker.payments]
failure_treshold = 3
reset_timeout = 5
slow_call = 2s
ignore_when = "x"

[circuit_breaker.payments]
ramp = "5s"

[timeout]
limit = "2s"

[timeout.shop::quote]
limit = "2s"

[[retry.a]]
max = 3

[payments.retry]
max = 3

[breaker.x]
failure_rate = 0.5

[bulkhead.x]
max_concurrent = "10"
max_wait = 0.5

[hedge.a]
after = 0.95

[rate_limit.x]
rate = 100
burst = "lots"
"#;
    let (_, faults) = read("resilient.toml", text);
    // But for the lists of keys, which grow.
    let short = |line: &str| match line.split_once("Keys: ") {
        Some((start, _)) => format!("{start}Keys: .."),
        None => line.to_owned(),
    };
    let report: Vec<_> = faults.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(report.join("\n\n").lines().map(short).collect::<Vec<_>>().join("\n"));
}

#[test]
fn each_mistake_has_an_answer() {
    for (text, words) in [
        ("version = 1", "version: stands one level too high: it is a key of `[resilient]`"),
        ("[resilient.retry.a]", "resilient.retry: stands one level too deep"),
        ("[resilient.default]", "resilient.default: defaults are told by kind: `[retry.default]`"),
        ("resilient = 1", "resilient: this is a table"),
        ("[resilient]\nversion = 2", "resilient.version: this is for a newer version of the program"),
        ("[resilient]\nreload = 5", "resilient.reload: a duration needs a unit"),
        ("[resilient]\nreload = \"0s\"", "resilient.reload: 0ns is too short"),
        ("[resilient.log]\nopened = \"loud\"", "resilient.log.opened: unknown word \"loud\""),
        ("retry = 3", "retry: this is a kind of policy: write `[retry.<name>]`"),
        ("[retry]\na = 3", "retry.a: the settings of a policy are a table: `[retry.a]`"),
        ("[retry.\"\"]", "retry.\"\": a name cannot be empty"),
        ("[retry.a]\nextends = 1", "retry.a.extends: it takes a name in quotes"),
        ("[retry.a]\nname = \"b\"", "retry.a.name: the name of a policy stands in the brackets"),
        ("[retry.a]\nmax = 2.5", "retry.a.max: it takes a whole number, not 2.5"),
        (
            "[retry.a]\nmax = 99999999999999999999",
            "retry.a.max: 99999999999999999999 is more than 4294967295",
        ),
        ("[retry.a]\nfactor = nan", "retry.a.factor: NaN is not a number from 1 on"),
        ("[retry.a]\nfactor = inf", "retry.a.factor: inf is not a number from 1 on"),
        ("[retry.a]\njitter = true", "retry.a.jitter: it takes a word in quotes: \"full\""),
        ("[retry.a]\nbudget = \"\"", "retry.a.budget: a name cannot be empty"),
        ("[retry.a]\nbase = 1979-05-27", "retry.a.base: it takes a duration such as \"250ms\", not a date"),
        ("[retry.shop.quote]\nmax = 3", "retry.shop.quote: unknown key; a name with a dot stands in quotes"),
        (
            "[budget.b]\ncredit = \"20%\"",
            "budget.b.credit: a share is a number from 0 to 1: write 0.2 for 20 %",
        ),
        ("[hedge.a]\nafter = \"p10\"", "hedge.a.after: \"p10\" is no quantile"),
        (
            "[circuit_breaker.a]\nfailure_rate = 0.5\nfailure_threshold = 5",
            "circuit_breaker.a.failure_rate: it and `failure_threshold` exclude each other",
        ),
        ("[teapot]", "teapot: this is no kind of policy; there are `budget`"),
        (
            "[Circuit-Breaker.a]",
            "Circuit-Breaker: this is no kind of policy; did you mean `circuit_breaker`?",
        ),
    ] {
        let found = faults(text);
        assert!(found.len() == 1 && found[0].starts_with(words), "{text}: {found:?}");
    }
}

#[test]
fn inheritance_that_leads_nowhere_is_told() {
    let text = r#"
[timeout.a]
extends = "b"
[timeout.b]
extends = "c"
[timeout.c]
extends = "a"
[timeout.d]
extends = "a"
[timeout.e]
extends = "e"
[timeout.slow]
[timeout.f]
extends = "slwo"
[retry.f]
extends = "slow"
[timeout.g]
extends = "slow"
"#;
    let (document, faults) = read("resilient.toml", text);
    assert_eq!(faults, []);
    let faults = chains(&document.sections);
    let mut found: Vec<_> =
        faults.iter().map(|fault| format!("{}: {}", fault.path(), fault.message)).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "retry.f.extends: there is no `[retry.slow]`",
            "timeout.a.extends: `a` extends `b`, `b` extends `c`, which extends `a`",
            "timeout.e.extends: it extends itself",
            "timeout.f.extends: there is no `[timeout.slwo]`; did you mean `slow`?",
        ]
    );
}

#[test]
fn a_long_circle_is_told_in_short() {
    let sections = (0..1_000).map(|n| format!("[retry.r{n:03}]\nextends = \"r{:03}\"\n", (n + 1) % 1_000));
    let text = sections.collect::<Vec<_>>().concat();
    let (document, _) = read("resilient.toml", &text);
    let [fault] = chains(&document.sections).try_into().expect("one circle");
    let end = "`r007` extends `r008` and so on, until the last of 1000 extends `r000`";
    assert!(fault.message.starts_with("`r000` extends `r001`, ") && fault.message.ends_with(end), "{fault}");
}

#[test]
fn the_caret_stands_below_what_is_meant() {
    let (_, faults) = read("resilient.toml", "\u{feff}[retry.\"größer\"]\r\n\tmax = \"drei\"");
    let report: String = faults.iter().map(ToString::to_string).collect();
    assert!(report.contains("--> resilient.toml:2:8\n"), "{report}");
    assert!(report.ends_with("2 | \tmax = \"drei\"\n  | \t      ^^^^^^"), "{report}");
}

#[test]
fn a_strange_line_is_shown_within_bounds() {
    let (_, faults) = read("resilient.toml", "retry.\u{1b}[31m");
    let report: String = faults.iter().map(ToString::to_string).collect();
    assert!(report.contains("1 | retry.\u{fffd}[31m"), "{report}");
    let long = format!("retry.a = {{ base = \"{}\", max = 0 }}", " ".repeat(10_000));
    let (_, faults) = read("resilient.toml", &long);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults.iter().all(|fault| fault.to_string().chars().count() < 500), "{faults:?}");
}

#[test]
fn a_text_of_nothing_but_mistakes_is_told_of_in_short() {
    let unknown: Vec<_> = (0..5_000).map(|n| format!("[teapot_{n}]")).collect();
    for text in ["= \n".repeat(10_000), unknown.join("\n"), unknown.join(" ")] {
        let (_, faults) = read("resilient.toml", &text);
        assert!((1..=256).contains(&faults.len()), "{}", faults.len());
        assert!(faults.iter().all(|fault| fault.to_string().len() < 800));
    }
}

#[test]
fn a_stack_is_told_in_one_table() {
    let text = r#"
[policy.payments]
retry = { max = 4, extends = "other" }
bulkhead.max_concurrent = 8

[policy.payments.circuit_breaker]

[policy."shop::quote".timeout]
limit = "2s"

[retry.other]
base = "1s"
"#;
    let (document, faults) = read("resilient.toml", text);
    assert_eq!(faults, []);
    assert_eq!(chains(&document.sections), []);
    let sections: Vec<_> = document
        .sections
        .iter()
        .map(|it| (it.table.name, it.name, it.values.len(), it.spot.line()))
        .collect();
    assert_eq!(
        sections,
        [
            ("retry", "payments", 1, 3),
            ("bulkhead", "payments", 1, 4),
            ("circuit_breaker", "payments", 0, 6),
            ("timeout", "shop::quote", 1, 8),
            ("retry", "other", 1, 11),
        ]
    );
}

#[test]
fn what_is_wrong_with_a_stack_is_told_with_its_place() {
    let text = r#"
[policy.payments]
retyr = { max = 4 }
hedge = { max = 2 }
limiter = {}
max = 3
timeout = "2s"
retry = { max = 0, maxx = 1, when = "always" }

[policy.default.retry]
max = 3

[policy]
orders = 3

[[policy.lists]]

[retry.payments]
max = 3
"#;
    let told = faults(text);
    let parts = "`retry`, `circuit_breaker`, `rate_limit`, `timeout`, `bulkhead`";
    for expected in [
        format!("policy.payments.retyr: this is no policy of a stack; did you mean `retry`? Parts: {parts}"),
        format!(
            "policy.payments.hedge: `hedge` is no part of a stack: it is an attribute of its own, whose \
             settings stand in `[hedge.payments]`. Parts: {parts}"
        ),
        format!(
            "policy.payments.limiter: this is no policy of a stack; did you mean `rate_limit`? Parts: {parts}"
        ),
        "policy.payments.max: stands one level too high: it is a key of a policy, as in \
         `[policy.payments.retry]`"
            .to_owned(),
        "policy.payments.timeout: its settings are a table: `timeout = { limit = … }`".to_owned(),
        "policy.payments.retry.max: 0 is less than 1".to_owned(),
        "policy.payments.retry.when: `when` is code and stands in the attribute: `#[retry(when = …)]`"
            .to_owned(),
        "policy.default: defaults are told by kind: `[retry.default]`".to_owned(),
        "policy.lists: a stack stands in one pair of brackets: `[policy.lists]`".to_owned(),
        "retry.payments: this policy has its settings in line 8 already: join them".to_owned(),
    ] {
        assert!(told.contains(&expected), "{expected}\n\n{}", told.join("\n"));
    }
    assert!(
        told.iter().any(|it| it.starts_with("policy.payments.retry.maxx: unknown key; did you mean `max`?"))
    );
    let alone = faults("policy = 3\n[resilient]\n");
    assert_eq!(
        alone,
        ["policy: a stack is a table of its policies: `[policy.<name>]` with `retry = { max = 3 }` below it"]
    );
}

fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "[retry.a]",
        "[timeout]",
        "[[hedge.b]]",
        "[resilient]",
        "[resilient.log]",
        "[policy.x]",
        "[policy.x.retry]",
        "[policy]",
        "retry.a.max",
        "extends",
        "max",
        "limit",
        "window",
        "rate",
        "=",
        "= 3",
        "= \"2s\"",
        "= \"p95\"",
        "= {",
        "}",
        "= [",
        "]",
        "\"",
        "'''",
        "\n",
        "\r\n",
        "#",
        "-",
        "0x",
        "1e999",
        "nan",
        "\u{feff}",
        "é",
        "\0",
        ".",
        ",",
        "true",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(pieces in prop::collection::vec(piece(), 0..40)) {
        let text = pieces.join(" ");
        let (document, mut faults) = read("garbled.toml", &text);
        faults.extend(chains(&document.sections));
        for fault in faults {
            prop_assert!(fault.spot.start() <= text.len());
            prop_assert!(!fault.to_string().is_empty());
        }
    }

    #[test]
    fn no_variable_makes_it_panic(text in any::<String>()) {
        for key in crate::stem::TABLES.iter().flat_map(|table| table.keys) {
            if let Ok(value) = of_text(key.kind, &text) {
                prop_assert_eq!(key.kind.complain(value), None);
            }
        }
    }
}

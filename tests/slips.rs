//! Names that nobody has, wherever a configuration says them.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use resilient_runtime::{
    CircuitState, Configure, Fault, OnUnknownPolicy, circuit_breaker, configure, registry, resilient, retry,
};

type Answer = Result<u32, Fault<&'static str>>;

#[retry(max = 2, base = "0s", name = "reads", budget = "shared")]
async fn read() -> Answer {
    Err(Fault::Failed("down"))
}

#[circuit_breaker(name = "disk", failure_threshold = 1)]
async fn disk() -> Answer {
    Err(Fault::Failed("down"))
}

#[resilient("payments")]
async fn pay() -> Answer {
    Err(Fault::Failed("down"))
}

fn text(toml: &str) -> Configure {
    configure().text("resilient.toml", toml)
}

/// The faults of what was refused, in one line each, with who is to blame.
fn refused(configure: Configure) -> Vec<String> {
    let error = configure.install().unwrap_err();
    let faults = error.faults().iter();
    faults.map(|fault| format!("{}: {} ({})", fault.path(), fault.message, fault.origin)).collect()
}

fn budget_of_reads() -> String {
    let explanation = registry().explain();
    let mut rows = explanation.rows().iter();
    let row = rows.find(|row| (row.stem, row.policy, row.key) == ("retry", "reads", "budget")).unwrap();
    row.value.unwrap().to_string()
}

#[tokio::test]
async fn a_budget_that_nobody_knows_is_a_fault() {
    let line = "retry.reads.budget: no budget is called `shraed`; did you mean `shared`?";
    let toml = "[retry.reads]\nbudget = \"shraed\"";
    assert_eq!(refused(text(toml)), [format!("{line} (resilient.toml:2)")]);
    let variable = "RESILIENT__RETRY__READS__BUDGET";
    assert_eq!(
        refused(configure().env_from([(variable, "shraed")])),
        [format!("{line} (variable {variable})")]
    );
    assert_eq!(
        refused(text("[retry.default]\nbudget = \"own\"")),
        ["retry.default.budget: no budget is called `own`; a new one has a section: `[budget.own]` \
          (resilient.toml:2)"]
    );
    assert_eq!(refused(text("[policy.payments]\nretry = { budget = \"defualt\" }")).len(), 1);
    assert_eq!(budget_of_reads(), "\"shared\"", "nothing was installed");
}

#[tokio::test]
async fn a_budget_that_somebody_says_is_known() {
    for known in ["shared", "default", "none"] {
        text(&format!("[retry.reads]\nbudget = \"{known}\"")).install().unwrap();
        assert_eq!(budget_of_reads(), format!("\"{known}\""));
    }
    let own = "[retry.reads]\nbudget = \"own\"\n";
    text(&format!("{own}[budget.own]\ncapacity = 0\nreserve = 0\n")).install().unwrap();
    read().await.unwrap_err();
    assert_eq!(registry().budget("own").unwrap().refused, 1);
    text(own).budget("own", |b| b).install().unwrap();
    text(own).expect("own").install().unwrap();
    text(own).retry("reads", |r| r.budget("own")).install().unwrap();
    configure().retry("reads", |r| r.budget("new")).install().unwrap();
    assert_eq!(budget_of_reads(), "\"new\"", "code says what it means");
    text("[budget.own]\ncapacity = 9")
        .env_from([("RESILIENT__RETRY__READS__BUDGET", "own")])
        .install()
        .unwrap();
}

#[tokio::test]
async fn a_stack_without_parts_has_to_be_one_of_a_function() {
    assert_eq!(
        refused(text("[policy.paymets]")),
        ["policy.paymets: no function has a stack of this name; did you mean `payments`? (resilient.toml:1)"]
    );
    assert_eq!(refused(text("[policy]\nzzz = {}")).len(), 1);
    text("[policy.paymets]\n[resilient]\non_unknown_policy = \"warn\"").install().unwrap();
    text("[policy.zzz]").expect("zzz").install().unwrap();
    let all = "[resilient]\nrequire = true\n[retry.reads]\n[circuit_breaker.disk]\n";
    assert_eq!(refused(text(all)).len(), 1);
    text(&format!("{all}[policy.payments]\n")).install().unwrap();
    assert_eq!(pay().await, Err(Fault::Failed("down")), "it runs bare");
}

#[tokio::test]
async fn a_template_of_nothing_is_told_what_would_use_it() {
    let faults = refused(text("[circuit_breaker.zzz]\nfailure_threshold = 3"));
    let expected = "circuit_breaker.zzz: no function has a circuit_breaker of this name, and no section `extends` \
                    it; there are `disk`, `payments` (resilient.toml:1)";
    assert_eq!(faults, [expected]);
    let faults = refused(configure().circuit_breaker("zzz", |b| b));
    assert!(!faults[0].contains("extends"), "code has no templates: {faults:?}");
}

#[tokio::test]
async fn what_a_file_says_of_all_code_can_say() {
    let unknown = "[circuit_breaker.zzz]\nfailure_threshold = 3";
    text(unknown).on_unknown_policy(OnUnknownPolicy::Warn).install().unwrap();
    assert_eq!(refused(text(unknown).on_unknown_policy(OnUnknownPolicy::Error)).len(), 1);
    let warn = OnUnknownPolicy::Warn;
    assert_eq!(refused(configure().on_unknown_policy(warn).circuit_breaker("zzz", |b| b)).len(), 1);
    let many = (0..300).map(|number| format!("[retry.many{number}]\n")).collect::<Vec<_>>().concat();
    let faults = refused(text(&many).on_unknown_policy(warn).circuit_breaker("zzz", |b| b));
    assert_eq!(faults.len(), 1, "what is let pass hides nothing: {faults:?}");
    assert_eq!(refused(text(&many)).len(), 256);
    configure().enabled(false).install().unwrap();
    for _ in 0..3 {
        assert_eq!(disk().await, Err(Fault::Failed("down")));
    }
    let explanation = registry().explain();
    let enabled =
        explanation.rows().iter().find(|row| (row.stem, row.key) == ("resilient", "enabled")).unwrap();
    assert!(
        enabled.to_string().starts_with("resilient.enabled = false  (code at tests/slips.rs:"),
        "{enabled}"
    );
    text("[resilient]\nenabled = false").enabled(true).install().unwrap();
    disk().await.unwrap_err();
    assert_eq!(
        registry().circuit_breaker("disk").unwrap().state(),
        CircuitState::Open,
        "the later one holds"
    );
}

#[tokio::test]
async fn files_are_looked_at_ten_times_a_second_at_most() {
    let faults = refused(text("[resilient]\nreload = \"99ms\""));
    assert_eq!(faults, ["resilient.reload: 99ms is too short: the least is 100ms (resilient.toml:2)"]);
    let faults = refused(configure().env_from([("RESILIENT__RELOAD", "1ns")]));
    assert!(faults.len() == 1 && faults[0].contains("1ns is too short"), "{faults:?}");
    let faults = refused(configure().reload(Duration::from_nanos(1)));
    assert!(faults.len() == 1 && faults[0].contains("1ns is too short"), "{faults:?}");
    configure().reload(Duration::from_millis(100)).install().unwrap();
}

#[tokio::test]
async fn the_variable_that_names_files_is_found_in_any_case_and_once() {
    let gone = "/nowhere/resilient.toml";
    for name in ["RESILIENT_CONFIG", "resilient_config", "Resilient_Config"] {
        let faults = refused(configure().env_from([(name, gone)]));
        assert!(faults.len() == 1 && faults[0].contains(gone) && faults[0].contains(name), "{faults:?}");
    }
    let faults = refused(configure().env_from([("resilient_config", ""), ("RESILIENT_CONFIG", "")]));
    assert_eq!(faults, [": `RESILIENT_CONFIG` means the same: keep one of them (variable resilient_config)"]);
}

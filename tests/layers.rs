//! What one layer says by itself, and what several say together.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use resilient_runtime::{
    Configure, Fault, Origin, circuit_breaker, configure, fallback, hedge, registry, retry, timeout,
};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

type Answer = Result<u32, Fault<&'static str>>;

#[circuit_breaker(name = "counts", failure_threshold = 3)]
async fn counts() -> Answer {
    Err(Fault::Failed("down"))
}

#[circuit_breaker(name = "shares", failure_rate = 0.5, window = "10s", min_calls = 20)]
async fn shares() -> Answer {
    Err(Fault::Failed("down"))
}

#[circuit_breaker(name = "slow", slow_call = "1s", slow_rate = 0.5, window = 50)]
async fn slow() -> Answer {
    Err(Fault::Failed("down"))
}

#[circuit_breaker(name = "plain")]
async fn plain() -> Answer {
    Err(Fault::Failed("down"))
}

#[timeout("3s", name = "quotes")]
async fn quote() -> Answer {
    std::future::pending().await
}

fn text(toml: &str) -> Configure {
    configure().text("resilient.toml", toml)
}

fn env<const N: usize>(variables: [(&str, &str); N]) -> Configure {
    configure().env_from(variables)
}

/// The faults of what was refused, in one line each, with who is to blame.
fn refused(configure: Configure) -> Vec<String> {
    let error = configure.install().unwrap_err();
    let line = |origin: &Origin| match origin {
        Origin::Code { .. } => "code".to_owned(),
        Origin::Attribute { .. } => "attribute".to_owned(),
        origin => origin.to_string(),
    };
    let faults = error.faults().iter();
    faults.map(|fault| format!("{}: {} ({})", fault.path(), fault.message, line(&fault.origin))).collect()
}

/// What `explain()` says of some keys of a policy.
fn said<const N: usize>(stem: &str, policy: &str, keys: [&str; N]) -> [String; N] {
    let explanation = registry().explain();
    keys.map(|key| {
        let mut rows = explanation.rows().iter();
        let row = rows.find(|row| (row.stem, row.policy, row.key) == (stem, policy, key)).unwrap();
        row.value.map_or("not set".to_owned(), |value| value.to_string())
    })
}

fn opening(policy: &str) -> [String; 4] {
    said("circuit_breaker", policy, ["failure_threshold", "failure_rate", "window", "min_calls"])
}

#[tokio::test(start_paused = true)]
async fn without_layers_the_attributes_hold() {
    for answer in [counts().await, shares().await, slow().await, plain().await] {
        assert_eq!(answer, Err(Fault::Failed("down")));
    }
    let began = Instant::now();
    quote().await.unwrap_err();
    assert_eq!(began.elapsed(), 3 * SECOND);
    assert_eq!(opening("counts"), ["3", "not set", "not set", "not set"]);
    assert_eq!(opening("shares"), ["not set", "0.5", "\"10s\"", "20"]);
    assert_eq!(opening("slow"), ["5", "not set", "50", "10"]);
    assert_eq!(opening("plain"), ["5", "not set", "not set", "not set"]);
}

const EXCLUDE: &str = "exclude each other, for it belongs to `failure_rate`, or to `slow_call`";

#[tokio::test]
async fn variables_cannot_choose_two_modes() {
    let rate = "RESILIENT__CIRCUIT_BREAKER__COUNTS__FAILURE_RATE";
    let threshold = "RESILIENT__CIRCUIT_BREAKER__COUNTS__FAILURE_THRESHOLD";
    assert_eq!(
        refused(env([(rate, "0.5"), (threshold, "2")])),
        [format!(
            "circuit_breaker.counts.failure_rate: it and `{threshold}` exclude each other (variable {rate})"
        )]
    );
    let window = "resilient__circuit_breaker__counts__window";
    assert_eq!(
        refused(env([(window, "10s"), (threshold, "2")])),
        [format!("circuit_breaker.counts.window: it and `{threshold}` {EXCLUDE} (variable {window})")]
    );
    assert_eq!(opening("counts"), ["3", "not set", "not set", "not set"], "nothing was installed");
}

#[tokio::test]
async fn two_variables_that_mean_one_key_are_named() {
    for (first, second) in [
        ("RESILIENT__TIMEOUT__QUOTES__LIMIT", "resilient__timeout__quotes__limit"),
        ("RESILIENT__ENABLED", "RESILIENT__enabled"),
        ("RESILIENT__LOG__OPENED", "RESILIENT__LOG__opened"),
        ("RESILIENT__TIMEOUT__QUOTES__LIMIT", "RESILIENT__TIMEOUT__quotes__LIMIT"),
    ] {
        let value = ["3s", "true", "warn"].into_iter().find(|value| env([(first, *value)]).install().is_ok());
        let value = value.unwrap();
        let expected = [format!(": `{first}` means the same: keep one of them (variable {second})")];
        assert_eq!(refused(env([(first, value), (second, value)])), expected);
    }
    env([("RESILIENT__TIMEOUT__QUOTES__LIMIT", "4s")])
        .env_from([("resilient__timeout__quotes__limit", "5s")])
        .install()
        .unwrap();
    assert_eq!(said("timeout", "quotes", ["limit"]), ["\"5s\""], "of two layers the later one holds");
}

#[tokio::test]
async fn code_cannot_choose_two_modes() {
    let both = [
        configure().circuit_breaker("counts", |b| b.failure_rate(0.5).failure_threshold(2)),
        configure().circuit_breaker("counts", |b| b.failure_threshold(2).failure_rate(0.5)),
    ];
    for both in both {
        assert_eq!(
            refused(both),
            ["circuit_breaker.counts.failure_rate: it and `failure_threshold` exclude each other (code)"]
        );
    }
    configure()
        .circuit_breaker("counts", |b| b.failure_rate(0.5))
        .circuit_breaker("counts", |b| b.failure_threshold(2))
        .install()
        .unwrap();
    assert_eq!(opening("counts"), ["2", "not set", "not set", "not set"], "the later call changes the mode");
}

#[tokio::test]
async fn one_section_has_no_window_beside_a_threshold() {
    let toml = "[circuit_breaker.shares]\nfailure_threshold = 3\nwindow = \"10s\"\nmin_calls = 20\n";
    let accused = |key| format!("circuit_breaker.shares.{key}: it and `failure_threshold` {EXCLUDE}");
    assert_eq!(
        refused(text(toml)),
        [
            format!("{} (resilient.toml:3)", accused("window")),
            format!("{} (resilient.toml:4)", accused("min_calls")),
        ]
    );
    assert_eq!(
        refused(configure().circuit_breaker("shares", |b| b.failure_threshold(3).min_calls(20))),
        [format!("{} (code)", accused("min_calls"))]
    );
    let faults = refused(text(&format!("{toml}failure_rate = 0.5\n")));
    let expected = "circuit_breaker.shares.failure_rate: it and `failure_threshold` exclude each other \
                    (resilient.toml:5)";
    assert_eq!(faults, [expected], "what belongs to the rate is no second mistake");
    for name in ["default", "shares"] {
        let toml = format!("[circuit_breaker.{name}]\nfailure_threshold = 3\nwindow = \"10s\"\n");
        assert_eq!(refused(text(&toml)).len(), 1, "{name}");
        text(&format!("{toml}slow_call = \"1s\"")).install().unwrap();
    }
    assert_eq!(
        opening("shares"),
        ["3", "not set", "\"10s\"", "20"],
        "slow calls are counted over the window"
    );
}

#[tokio::test]
async fn a_window_alone_needs_something_to_count() {
    let idle = "has no effect without `failure_rate` or `slow_call` (resilient.toml:2)";
    for name in ["counts", "plain"] {
        let faults = refused(text(&format!("[circuit_breaker.{name}]\nwindow = \"10s\"")));
        assert_eq!(faults, [format!("circuit_breaker.{name}.window: {idle}")]);
    }
    let faults = refused(text("[circuit_breaker.counts]\nwindow = \"10s\"\nfailure_rate = 50\n"));
    assert_eq!(faults.len(), 1, "what comes of another mistake is none of its own: {faults:?}");
    let faults = refused(text("[circuit_breaker.counts]\nwindow = \"10s\"\nfailure_rte = 0.5\n"));
    assert_eq!(faults.len(), 1, "{faults:?}");
    let twice = "[circuit_breaker.tpl]\nwindow = 9\n[circuit_breaker.plain]\nextends = \"tpl\"\n\
                 [circuit_breaker.counts]\nextends = \"tpl\"";
    assert_eq!(refused(text(twice)).len(), 1, "one mistake is told once");
    text("[circuit_breaker.shares]\nwindow = \"20s\"").install().unwrap();
    assert_eq!(opening("shares"), ["not set", "0.5", "\"20s\"", "20"]);
}

#[tokio::test]
async fn a_stronger_layer_that_changes_the_mode_drops_what_belonged_to_the_other() {
    text("[circuit_breaker.shares]\nfailure_threshold = 7").install().unwrap();
    assert_eq!(opening("shares"), ["7", "not set", "not set", "not set"]);
    text("[circuit_breaker.counts]\nfailure_rate = 0.2").install().unwrap();
    assert_eq!(opening("counts"), ["not set", "0.2", "100", "10"]);
    text("[circuit_breaker.slow]\nfailure_threshold = 7").install().unwrap();
    assert_eq!(opening("slow"), ["7", "not set", "50", "10"], "slow calls go by the window");
    text("[circuit_breaker.default]\nfailure_rate = 0.2\nwindow = 30")
        .env_from([("RESILIENT__CIRCUIT_BREAKER__PLAIN__FAILURE_THRESHOLD", "2")])
        .install()
        .unwrap();
    assert_eq!(opening("plain"), ["2", "not set", "not set", "not set"]);
    assert_eq!(opening("counts"), ["3", "not set", "not set", "not set"], "its attribute says so");
    text("[circuit_breaker.plain]\nfailure_threshold = 2")
        .text("production.toml", "[circuit_breaker.plain]\nfailure_rate = 0.2\nwindow = 30")
        .install()
        .unwrap();
    assert_eq!(opening("plain"), ["not set", "0.2", "30", "10"]);
    text("[circuit_breaker.tpl]\nfailure_threshold = 2\n[circuit_breaker.plain]\nextends = \"tpl\"\nfailure_rate = 0.2")
        .install()
        .unwrap();
    assert_eq!(opening("plain"), ["not set", "0.2", "100", "10"]);
}

#[tokio::test]
async fn more_calls_than_a_window_holds_are_told_across_layers() {
    let faults = refused(text("[circuit_breaker.shares]\nwindow = 10"));
    let expected =
        "circuit_breaker.shares.min_calls: 20 is more than the 10 calls of `window` (resilient.toml:2)";
    assert_eq!(faults, [expected], "the attribute's `min_calls` is not what can be changed here");
    let faults = refused(text("[circuit_breaker.slow]\nmin_calls = 60"));
    assert_eq!(faults.len(), 1, "{faults:?}");
    let faults = refused(text("[circuit_breaker.plain]\nfailure_rate = 0.5\nmin_calls = 101"));
    assert_eq!(faults.len(), 1, "a hundred calls by default: {faults:?}");
    text("[circuit_breaker.shares]\nwindow = 20").install().unwrap();
    text("[circuit_breaker.plain]\nfailure_rate = 0.5\nwindow = 5").install().unwrap();
    assert_eq!(opening("plain"), ["not set", "0.5", "5", "5"]);
    text("[circuit_breaker.plain]\nfailure_rate = 0.5\nmin_calls = 101\nwindow = \"1s\"").install().unwrap();
}

#[timeout("2s", name = "outer")]
#[retry(max = 3, base = "10ms", jitter = "none", name = "again")]
#[timeout("500ms", name = "inner")]
async fn again() -> Answer {
    Ok(1)
}

#[timeout("9s", name = "whole")]
#[hedge(after = "50ms", name = "hedged")]
async fn hedged() -> Answer {
    Ok(1)
}

#[timeout("8s", name = "above")]
#[circuit_breaker(name = "between")]
#[fallback(value = 1)]
#[timeout("1s", name = "below")]
async fn nested() -> Answer {
    Ok(1)
}

#[tokio::test]
async fn times_that_never_fit_are_told_where_they_can_be_changed() {
    for (toml, expected) in [
        (
            "[retry.again]\nmax = 3\nbase = \"1s\"\n",
            "retry.again.base: its retry waits at least 3s, but `timeout.outer.limit` ends all of `layers::again` \
             after 2s (resilient.toml:3)",
        ),
        (
            "[retry.again]\nbase = \"1s\"\n[timeout.outer]\nlimit = \"2500ms\"\n",
            "timeout.outer.limit: 2.5s for all of `layers::again`, but its retry waits at least 3s \
             (resilient.toml:4)",
        ),
        (
            "[timeout.inner]\nlimit = \"2s\"\n",
            "timeout.inner.limit: each attempt may take 2s, but `timeout.outer.limit` ends all of `layers::again` \
             after 2s (resilient.toml:2)",
        ),
        (
            "[timeout.outer]\nlimit = \"500ms\"\n",
            "timeout.outer.limit: 500ms for all of `layers::again`, but each attempt may take 500ms \
             (resilient.toml:2)",
        ),
        (
            "[hedge.hedged]\nafter = \"9s\"\n",
            "hedge.hedged.after: its hedge waits at least 9s, but `timeout.whole.limit` ends all of \
             `layers::hedged` after 9s (resilient.toml:2)",
        ),
        (
            "[timeout.below]\nlimit = \"8s\"\n",
            "timeout.below.limit: the timeout inside lasts 8s, but `timeout.above.limit` ends all of \
             `layers::nested` after 8s (resilient.toml:2)",
        ),
    ] {
        assert_eq!(refused(text(toml)), [expected], "{toml}");
    }
    let fine = "[hedge.hedged]\nafter = \"9s\"\nenabled = false\n\
                [timeout.below]\nlimit = \"8s\"\nmode = \"observe\"\n";
    text(fine).install().unwrap();
    let (again, hedged, nested) = tokio::join!(again(), hedged(), nested());
    assert_eq!((again, hedged, nested), (Ok(1), Ok(1), Ok(1)));
}

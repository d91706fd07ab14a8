//! Settings from files and the environment: what holds, and what is refused.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use resilient_runtime::{
    CircuitState, ConfigError, Configure, Fault, Level, Origin, Snapshot, circuit_breaker, configure,
    registry, retry, timeout,
};

use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

#[circuit_breaker(name = "payments", failure_threshold = 3, reset_timeout = "5s")]
async fn pay(ok: bool) -> Result<u32, Fault<&'static str>> {
    if ok { Ok(1) } else { Err(Fault::Failed("down")) }
}

#[circuit_breaker(name = "stock-v2")]
async fn stock(ok: bool) -> Result<u32, Fault<&'static str>> {
    if ok { Ok(1) } else { Err(Fault::Failed("down")) }
}

#[retry(max = 2, base = "0s", name = "quotes")]
#[timeout("2s", name = "quotes")]
async fn quote() -> Result<u32, Fault<&'static str>> {
    std::future::pending().await
}

#[timeout("3s")]
async fn unnamed() -> Result<u32, Fault<&'static str>> {
    std::future::pending().await
}

fn text(toml: &str) -> Configure {
    configure().text("resilient.toml", toml)
}

/// What is told, but for lists of keys, which grow.
fn report(error: &ConfigError) -> String {
    let text = error.to_string();
    let short = |line: &str| {
        line.split_once("Keys: ").map_or(line.to_owned(), |(start, _)| format!("{start}Keys: .."))
    };
    text.lines().map(|line| short(line) + "\n").collect()
}

/// The faults of what was refused, in one line each.
fn refused(configure: Configure) -> Vec<String> {
    let error = configure.install().unwrap_err();
    error.faults().iter().map(|fault| format!("{}: {}", fault.path(), fault.message)).collect()
}

fn limit(name: &str) -> Duration {
    let Some(Snapshot::Timeout(timeout)) = registry().snapshot("timeout", name) else { panic!("no {name}") };
    timeout.limit
}

/// A folder that goes when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[tokio::test]
async fn a_file_wins_over_the_attribute() {
    let folder = Folder::new("wins");
    let path = folder.write("resilient.toml", "[circuit_breaker.payments]\nfailure_threshold = 1\n");
    configure().file(&path).install().unwrap();
    pay(false).await.unwrap_err();
    let breaker = registry().circuit_breaker("payments").unwrap();
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn an_unnamed_policy_goes_by_its_path_in_quotes() {
    text("[timeout.\"configured::unnamed\"]\nlimit = \"1m 30s\"").install().unwrap();
    let start = Instant::now();
    unnamed().await.unwrap_err();
    assert_eq!(start.elapsed(), 90 * SECOND);
}

#[tokio::test]
async fn defaults_are_weaker_than_attributes_and_stronger_than_nothing() {
    text("[circuit_breaker.default]\nfailure_threshold = 1").install().unwrap();
    pay(false).await.unwrap_err();
    stock(false).await.unwrap_err();
    let state = |name| registry().circuit_breaker(name).unwrap().state();
    assert_eq!(state("payments"), CircuitState::Closed, "its attribute says three");
    assert_eq!(state("stock-v2"), CircuitState::Open, "its attribute says nothing");
}

#[tokio::test]
async fn a_section_inherits_what_it_does_not_say() {
    text(
        r#"
        [timeout.far]
        extends = "farther"
        [timeout.farther]
        limit = "7s"
        [timeout.quotes]
        extends = "far"
        [timeout."configured::unnamed"]
        extends = "far"
        limit = "8s"
        "#,
    )
    .install()
    .unwrap();
    assert_eq!(limit("quotes"), 7 * SECOND);
    assert_eq!(limit("configured::unnamed"), 8 * SECOND);
    assert!(registry().timeout("far").is_none(), "a template is no policy");
}

#[tokio::test]
async fn layers_are_laid_over_one_another_templates_included() {
    text("[timeout.far]\nlimit = \"7s\"\n[timeout.quotes]\nextends = \"far\"")
        .text("production.toml", "[timeout.far]\nlimit = \"9s\"")
        .install()
        .unwrap();
    assert_eq!(limit("quotes"), 9 * SECOND);
    text("[timeout.quotes]\nlimit = \"7s\"")
        .timeout("quotes", |t| t.limit(8 * SECOND))
        .text("production.toml", "[timeout.quotes]\nlimit = \"6s\"")
        .install()
        .unwrap();
    assert_eq!(limit("quotes"), 6 * SECOND, "the order is that in which they were added");
}

#[tokio::test]
async fn a_file_may_change_the_mode_of_an_attribute() {
    text("[circuit_breaker.payments]\nfailure_rate = 0.5\nwindow = 4\nmin_calls = 4").install().unwrap();
    for ok in [true, true, true, false, false] {
        let _ = pay(ok).await;
    }
    let breaker = registry().circuit_breaker("payments").unwrap();
    assert_eq!(breaker.state(), CircuitState::Open, "half of the last four");
}

#[tokio::test]
async fn ten_mistakes_are_ten_findings_in_one_go() {
    let error = text(
        r#"[resilient]
on_unknown_policy = "ignore"

[circuit_breaker.payments]
failure_treshold = 3
reset_timeout = 30
slow_rate = 50

[circuit_breaker.paymnets]
failure_threshold = 3

[timeout.quotes]
limit = 2s

[timeout]
limit = "2s"

[retry.quotes]
extends = "external"
when = "is_transient"
jitter = "some"

[breaker.payments]
"#,
    )
    .install()
    .unwrap_err();
    assert_eq!(error.faults().len(), 11, "{error}");
    insta::assert_snapshot!(report(&error));
    assert_eq!(limit("quotes"), 2 * SECOND, "nothing was installed");
}

#[tokio::test]
async fn what_does_not_go_together_is_told_where_it_was_written() {
    let error = text("[circuit_breaker.payments]\nmax_reset_timeout = \"1s\"").install().unwrap_err();
    let [fault] = error.faults() else { panic!("{error}") };
    assert_eq!(fault.path(), "circuit_breaker.payments.max_reset_timeout");
    let Origin::File(place) = &fault.origin else { panic!("{error}") };
    assert_eq!((place.file(), place.line(), place.column()), ("resilient.toml", 2, 21));
    let error = text("[retry.quotes]\nbase = \"3s\"\nmax_delay = \"2s\"").install().unwrap_err();
    assert_eq!(error.faults()[0].path(), "retry.quotes.base", "{error}");
}

#[tokio::test]
async fn what_follows_from_a_mistake_in_a_default_is_not_told_beside_it() {
    for section in ["default", "external"] {
        let wrong = format!(
            "[circuit_breaker.{section}]\nfailure_rte = 0.5\nwindow = 10\n\
             [circuit_breaker.payments]\nextends = \"{section}\""
        );
        let faults = refused(text(&wrong));
        assert!(faults.len() == 1 && faults[0].contains("failure_rate"), "{faults:?}");
    }
    let wrong = "[circuit_breaker.external]\nfailure_rte = 0.5\n[circuit_breaker.stock-v2]\nextends = \"external\"\n\
                 [circuit_breaker.payments]\nwindow = 10";
    assert_eq!(refused(text(wrong)).len(), 2, "what has nothing to do with it is");
}

#[tokio::test]
async fn names_that_nobody_uses_may_be_let_pass() {
    let toml = "[timeout.qoutes]\nlimit = \"1s\"\n";
    let faults = refused(text(toml));
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].ends_with("did you mean `quotes`?"), "{faults:?}");
    text(&format!("{toml}[resilient]\non_unknown_policy = \"warn\"")).install().unwrap();
    assert!(registry().timeout("qoutes").is_none());
    text(toml).expect("qoutes").install().unwrap();
    assert!(registry().timeout("qoutes").is_some());
}

#[tokio::test]
async fn what_functions_name_can_be_required() {
    let faults = refused(text("[resilient]\nrequire = true\n[timeout.quotes]\n[retry.quotes]\n"));
    assert_eq!(
        faults,
        [
            "circuit_breaker.payments: `configured::pay` uses it, and nothing configures it",
            "circuit_breaker.stock-v2: `configured::stock` uses it, and nothing configures it",
        ]
    );
    configure()
        .require(true)
        .text("a", "[timeout.quotes]\n[retry.quotes]\n[circuit_breaker.payments]")
        .circuit_breaker("stock-v2", |b| b)
        .install()
        .unwrap();
}

#[tokio::test]
async fn a_broken_header_is_the_one_thing_wrong() {
    for text in [
        "[resilient]\nrequire = true\n[timeout.quotes\nlimit = \"1s\"\n",
        "[circuit_breaker.payments]\nextends = \"external\"\n[circuit_breaker.external\nfailure_threshold = 3\n",
        "[resilient\non_unknown_policy = \"warn\"\n[timeout.nobodys]\nlimit = \"1s\"\n",
        "[timeout.configured::unnamed]\nlimit = \"1s\"\n",
        "[timeout.quotes]\n[timeout.quotes]\nlimit = \"1s\"\n",
    ] {
        let faults =
            refused(configure().text("shop.toml", text).env_from([("RESILIENT__TIMEOUT__X__LIMIT", "1s")]));
        assert_eq!(faults.len(), 1, "{text}\n{faults:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn variables_find_the_policies_they_mean() {
    configure()
        .env_from([
            ("RESILIENT__TIMEOUT__QUOTES__LIMIT", "4s"),
            ("resilient__timeout__configured__unnamed__limit", "5s"),
            ("RESILIENT__CIRCUIT_BREAKER__STOCK_V2__FAILURE_THRESHOLD", "1"),
            ("RESILIENT__LOG__OPENED", "error"),
            ("RESILIENT__REQUIRE", "False "),
            ("RESILIENT__RETRY__QUOTES__JITTER", "NONE"),
            ("PATH", "/bin"),
        ])
        .install()
        .unwrap();
    assert_eq!((limit("quotes"), limit("configured::unnamed")), (4 * SECOND, 5 * SECOND));
    let start = Instant::now();
    quote().await.unwrap_err();
    assert_eq!(start.elapsed(), 8 * SECOND, "two attempts");
    stock(false).await.unwrap_err();
    assert_eq!(registry().circuit_breaker("stock-v2").unwrap().state(), CircuitState::Open);
}

#[tokio::test]
async fn a_variable_that_matches_nothing_is_told() {
    for (name, value, words) in [
        ("RESILIENT__TIMEOUT__QUOTE__LIMIT", "1s", "did you mean `RESILIENT__TIMEOUT__QUOTES__LIMIT`?"),
        ("RESILIENT__TIMEOUTS__QUOTES__LIMIT", "1s", "did you mean `RESILIENT__TIMEOUT__QUOTES__LIMIT`?"),
        ("RESILIENT__TIMEOUT__QUOTES__LIMITS", "1s", "did you mean `RESILIENT__TIMEOUT__QUOTES__LIMIT`?"),
        ("RESILIENT__TIMEOUT__QUOTES__LIMIT", "1", "a duration needs a unit"),
        ("RESILIENT__TIMEOUT__QUOTES__LIMIT", "", "this duration is empty"),
        ("RESILIENT__TIMEOUT__QUOTES__WHAT", "1", "`what` is no key of `timeout`; keys: `limit`"),
        ("RESILIENT__TIMEOUT__QUOTES__DURATION", "1s", "`duration` is no key of `timeout`; use `limit`"),
        (
            "RESILIENT__RETRY__QUOTES__MAX_RETRIES",
            "2",
            "use `max`, which counts attempts, the first included",
        ),
        (
            "RESILIENT__RETRY__QUOTES__RETRY_IF",
            "x",
            "this is code, which stands in the attribute: use `when`",
        ),
        ("RESILIENT__RETRY__QUOTES__BASE", "\u{1b}[2J", "`\\u{1b}[2J`"),
        ("RESILIENT__POLL_INTERVAL", "5s", "use `reload`"),
        ("RESILIENT__VERSION", "2", "for a newer version of the program"),
        ("RESILIENT__TIMEOUT__LIMIT", "1s", "it is written `RESILIENT__<KIND>__<NAME>__<KEY>`"),
        ("RESILIENT__TEAPOT__QUOTES__LIMIT", "1s", "`teapot` is no kind of policy; there are"),
        ("RESILIENT__LOG__OPENED", "loud", "it takes one of \"error\""),
        ("RESILIENT__LOG__OPEND", "error", "did you mean `opened`?"),
        ("RESILIENT__RELAOD", "5s", "did you mean `RESILIENT__RELOAD`?"),
        ("RESILIENT__ENABLED", "no", "\"no\" is neither true nor false"),
        ("RESILIENT__", "1", "is no key of `resilient`"),
        ("RESILIENT__é__ß__x", "1", "is no kind of policy"),
        ("RESILIENT__POLICY__QUOTES__RETRY__MAX", "4", "did you mean `RESILIENT__RETRY__QUOTES__MAX`?"),
    ] {
        let error = configure().env_from([(name, value)]).install().unwrap_err();
        let text = error.to_string();
        assert!(text.contains(words) && text.contains(&format!("variable {name}")), "{text}");
    }
}

#[tokio::test]
async fn variables_without_end_are_told_in_short() {
    let wrong = (0..1_000).map(|number| (format!("RESILIENT__TIMEOUT__NOBODY_{number}__LIMIT"), "1s"));
    assert_eq!(refused(configure().env_from(wrong)).len(), 256);
}

#[tokio::test]
async fn nothing_that_was_written_reaches_the_controls_of_a_terminal() {
    for wrong in [
        text("[retry.default]\nbudget = \"\\u001b[31m\""),
        text("[circuit_breaker.payments]\nhealth = \"\\u001b[31m\""),
        configure().file("/nowhere\u{1b}[31m"),
        configure().text("\u{1b}[31m", "x = 1"),
        configure().env_from([("RESILIENT__TIMEOUT__\u{1b}[31m__LIMIT", "1s")]),
        configure().retry("\u{1b}[31m", |retry| retry),
    ] {
        let error = wrong.install().unwrap_err().to_string();
        assert!(error.contains("1b") && !error.contains('\u{1b}'), "{error:?}");
    }
}

#[tokio::test]
async fn two_policies_that_a_variable_may_mean_are_told() {
    let faults =
        refused(configure().expect("a.b").expect("a-b").env_from([("RESILIENT__TIMEOUT__A_B__LIMIT", "1s")]));
    assert_eq!(faults, [": it may mean any of `a-b`, `a.b`: set it in a file"]);
}

#[tokio::test]
async fn a_variable_names_files() {
    let folder = Folder::new("named");
    let one = folder.write("one.toml", "[timeout.quotes]\nlimit = \"4s\"\n[retry.quotes]\nmax = 4");
    let two = folder.write("two.toml", "[timeout.quotes]\nlimit = \"5s\"");
    let both = format!("{}, {}", one.display(), two.display());
    configure().env_from([("RESILIENT_CONFIG", both.as_str())]).install().unwrap();
    assert_eq!(limit("quotes"), 5 * SECOND);
    let gone = folder.0.join("gone.toml");
    let faults = refused(configure().env_from([("RESILIENT_CONFIG", gone.as_os_str())]));
    assert!(faults.len() == 1 && faults[0].contains("gone.toml` cannot be read"), "{faults:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_variable_names_a_file_whose_path_is_no_text() {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStringExt as _;

    let folder = Folder::new("bytes");
    let path = folder.0.join(OsString::from_vec(vec![b'a', 0xff]));
    fs::write(&path, "[timeout.quotes]\nlimit = \"4s\"").unwrap();
    configure().env_from([(OsStr::new("RESILIENT_CONFIG"), path.as_os_str())]).install().unwrap();
    assert_eq!(limit("quotes"), 4 * SECOND);
}

#[tokio::test]
async fn what_is_no_file_with_text_is_a_fault() {
    let folder = Folder::new("strange");
    let binary = folder.0.join("binary.toml");
    fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    let long = folder.write("long.toml", &"#".repeat((1 << 20) + 1));
    for (path, words) in [
        (folder.0.clone(), "is no file"),
        (binary, "is no text in UTF-8"),
        (long, "is longer than a mebibyte"),
    ] {
        let faults = refused(configure().file(&path));
        assert!(faults.len() == 1 && faults[0].contains(words), "{faults:?}");
    }
}

#[tokio::test]
async fn levels_of_events_come_from_files_too() {
    let faults = refused(text("[resilient.log]\nopend = \"error\""));
    assert_eq!(faults, ["resilient.log.opend: there is no event of this name; did you mean `opened`?"]);
    text("[resilient.log]\nopened = \"off\"\nclosed = \"debug\"")
        .log("closed", Level::ERROR)
        .install()
        .unwrap();
    let explanation = registry().explain();
    let levels: Vec<_> = explanation.rows().iter().filter(|row| row.policy == "log").collect();
    assert_eq!(levels[1].to_string(), "resilient.log.opened = \"off\"  (resilient.toml:2)");
    let closed = levels[0].to_string();
    assert!(
        closed.starts_with("resilient.log.closed = \"error\"  (code at tests/configured.rs:"),
        "{closed}"
    );
    assert_eq!(levels.len(), 2, "what nobody set is not listed");
}

#[tokio::test]
async fn each_value_is_explained_by_who_said_it() {
    text("[timeout.quotes]\nlimit = \"9s\"\n[circuit_breaker.default]\nramp = \"1s\"")
        .env_from([("RESILIENT__RETRY__QUOTES__MAX", "4")])
        .timeout("configured::unnamed", |t| t.limit(SECOND))
        .install()
        .unwrap();
    let explanation = registry().explain();
    let said = |path: (&str, &str, &str)| {
        let row = explanation.rows().iter().find(|row| (row.stem, row.policy, row.key) == path);
        row.unwrap().to_string()
    };
    assert_eq!(said(("timeout", "quotes", "limit")), "timeout.quotes.limit = \"9s\"  (resilient.toml:2)");
    assert_eq!(
        said(("circuit_breaker", "payments", "ramp")),
        "circuit_breaker.payments.ramp = \"1s\"  (resilient.toml:4)"
    );
    assert_eq!(
        said(("retry", "quotes", "max")),
        "retry.quotes.max = 4  (variable RESILIENT__RETRY__QUOTES__MAX)"
    );
    assert_eq!(
        said(("retry", "quotes", "max_delay")),
        "retry.quotes.max_delay = \"10s\"  (built in)",
        "nobody wrote it"
    );
    assert_eq!(
        said(("circuit_breaker", "payments", "half_open_timeout")),
        "circuit_breaker.payments.half_open_timeout = \"5s\"  (built in)",
        "it goes by `reset_timeout`"
    );
    let attribute = said(("circuit_breaker", "payments", "failure_threshold"));
    assert!(attribute.contains(" = 3  (attribute at tests/configured.rs:"), "{attribute}");
    let code = said(("timeout", "configured::unnamed", "limit"));
    assert!(code.contains("limit = \"1s\"  (code at tests/configured.rs:"), "{code}");
    assert!(said(("resilient", "", "reload")).contains("\"off\"  (built in)"));
    assert_eq!(explanation.to_string().lines().count(), explanation.rows().len());
}

#[tokio::test(start_paused = true)]
async fn everything_can_be_switched_off_at_once() {
    text("[resilient]\nenabled = false\n[timeout.quotes]\nenabled = true").install().unwrap();
    for _ in 0..9 {
        assert!(matches!(pay(false).await, Err(Fault::Failed("down"))), "the breaker lets all through");
    }
    let call = tokio::time::timeout(3_600 * SECOND, quote());
    call.await.expect_err("nobody gives up but the test");
    let explanation = registry().explain();
    let mut switches = explanation.rows().iter().filter(|row| row.key == "enabled");
    assert!(switches.all(|row| row.to_string().ends_with("= false  (resilient.toml:2)")));
    configure().install().unwrap();
    let start = Instant::now();
    quote().await.unwrap_err();
    assert_eq!(start.elapsed(), 4 * SECOND, "two attempts of two seconds");
}

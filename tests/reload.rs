//! Settings that change while calls run.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use resilient_runtime::{
    CircuitState, EventKind, Fault, Rejected, Snapshot, bulkhead, circuit_breaker, configure, registry,
    reload, test_util, timeout,
};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

#[timeout("2s", name = "quotes")]
async fn quote() -> Result<(), Fault<()>> {
    std::future::pending().await
}

#[circuit_breaker(name = "payments", failure_threshold = 1, reset_timeout = "1h")]
async fn pay() -> Result<(), Fault<&'static str>> {
    Err(Fault::Failed("down"))
}

#[bulkhead(name = "reports", max_concurrent = 64)]
#[timeout("1h", name = "hang")]
async fn report() -> Result<(), Fault<()>> {
    sleep(Duration::from_millis(5)).await;
    Ok(())
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
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn limit_of(seconds: u64) -> String {
    format!("[resilient]\nreload = \"5s\"\n[timeout.quotes]\nlimit = \"{seconds}s\"\n")
}

fn limit() -> Duration {
    let Some(Snapshot::Timeout(quotes)) = registry().snapshot("timeout", "quotes") else {
        panic!("no timeout")
    };
    quotes.limit
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_taken_over() {
    let folder = Folder::new("changed");
    let path = folder.write("resilient.toml", &limit_of(3));
    let events = test_util::record();
    configure().file(&path).install().unwrap();
    let call = tokio::spawn(async {
        let start = Instant::now();
        quote().await.unwrap_err();
        start.elapsed()
    });
    tokio::task::yield_now().await;
    folder.write("resilient.toml", &limit_of(7));
    sleep(2 * SECOND).await;
    assert_eq!(limit(), 3 * SECOND, "nobody has looked yet");
    sleep(4 * SECOND).await;
    assert_eq!(limit(), 7 * SECOND);
    assert_eq!(call.await.unwrap(), 3 * SECOND, "the call had begun before");
    assert_eq!(events.words("config"), ["loaded", "reloaded"]);
    let kinds = events.kinds("config");
    let EventKind::ConfigReloaded { changes } = &kinds[1] else { panic!("{kinds:?}") };
    let changes: Vec<_> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(changes, ["timeout.quotes.limit: \"3s\" -> \"7s\""]);
    sleep(60 * SECOND).await;
    assert_eq!(events.kinds("config").len(), 2, "nothing has changed since");
}

#[tokio::test(start_paused = true)]
async fn a_bad_file_keeps_the_last_good_one_and_is_told_once() {
    let folder = Folder::new("bad");
    let path = folder.write("resilient.toml", &limit_of(3));
    let events = test_util::record();
    configure().file(&path).install().unwrap();
    folder.write("resilient.toml", "[timeout.quotes]\nlimit = 7\n");
    sleep(20 * SECOND).await;
    assert_eq!(limit(), 3 * SECOND);
    assert_eq!(events.words("config"), ["loaded", "refused"]);
    fs::remove_file(&path).unwrap();
    sleep(20 * SECOND).await;
    assert_eq!(limit(), 3 * SECOND);
    assert_eq!(events.words("config"), ["loaded", "refused", "refused"], "a file that is gone is bad too");
    folder.write("resilient.toml", &limit_of(4));
    sleep(20 * SECOND).await;
    assert_eq!(limit(), 4 * SECOND, "it went on watching");
    assert_eq!(events.words("config"), ["loaded", "refused", "refused", "reloaded"]);
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_mounted_folder_may_be_swapped() {
    fn point(folder: &Path, to: &str) {
        let new = folder.join("new");
        std::os::unix::fs::symlink(to, &new).unwrap();
        fs::rename(new, folder.join("data")).unwrap();
    }
    let folder = Folder::new("mounted");
    folder.write("one/resilient.toml", &limit_of(3));
    folder.write("two/resilient.toml", &limit_of(6));
    point(&folder.0, "one");
    configure().file(folder.0.join("data/resilient.toml")).install().unwrap();
    assert_eq!(limit(), 3 * SECOND);
    point(&folder.0, "two");
    sleep(6 * SECOND).await;
    assert_eq!(limit(), 6 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn the_interval_itself_can_be_changed_and_switched_off() {
    let folder = Folder::new("interval");
    let text = |every: &str, limit: u32| {
        format!("[resilient]\nreload = \"{every}\"\n[timeout.quotes]\nlimit = \"{limit}s\"\n")
    };
    let path = folder.write("resilient.toml", &text("5s", 3));
    configure().file(&path).install().unwrap();
    folder.write("resilient.toml", &text("60s", 4));
    sleep(6 * SECOND).await;
    folder.write("resilient.toml", &text("off", 5));
    sleep(30 * SECOND).await;
    assert_eq!(limit(), 4 * SECOND, "it looks once a minute now");
    sleep(31 * SECOND).await;
    assert_eq!(limit(), 5 * SECOND);
    folder.write("resilient.toml", &text("5s", 6));
    sleep(600 * SECOND).await;
    assert_eq!(limit(), 5 * SECOND, "it looks no more");
    reload().unwrap();
    folder.write("resilient.toml", &text("5s", 7));
    sleep(6 * SECOND).await;
    assert_eq!(limit(), 7 * SECOND, "until it is told to by a call");
}

#[tokio::test(start_paused = true)]
async fn another_install_ends_the_watch() {
    let folder = Folder::new("another");
    let path = folder.write("resilient.toml", &limit_of(3));
    configure().file(&path).install().unwrap();
    configure().timeout("quotes", |t| t.limit(9 * SECOND)).install().unwrap();
    folder.write("resilient.toml", &limit_of(4));
    sleep(60 * SECOND).await;
    assert_eq!(limit(), 9 * SECOND);
}

fn every(milliseconds: u64, limit: u64) -> String {
    format!("[resilient]\nreload = \"{milliseconds}ms\"\n[timeout.quotes]\nlimit = \"{limit}s\"\n")
}

#[tokio::test(start_paused = true)]
async fn a_reload_by_a_thread_without_a_runtime_goes_on_watching() {
    let folder = Folder::new("thread");
    let path = folder.write("resilient.toml", &every(5_000, 3));
    configure().file(&path).install().unwrap();
    let registry = registry();
    folder.write("resilient.toml", &every(2_000, 4));
    std::thread::spawn(move || registry.reload().unwrap()).join().unwrap();
    assert_eq!(limit(), 4 * SECOND);
    folder.write("resilient.toml", &every(2_000, 5));
    sleep(3 * SECOND).await;
    assert_eq!(limit(), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_reload_in_a_runtime_that_ends_goes_on_watching() {
    let folder = Folder::new("short");
    let path = folder.write("resilient.toml", &every(5_000, 3));
    configure().file(&path).install().unwrap();
    let registry = registry();
    folder.write("resilient.toml", &every(2_000, 4));
    let short = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { registry.reload().unwrap() })
    };
    std::thread::spawn(short).join().unwrap();
    assert_eq!(limit(), 4 * SECOND);
    folder.write("resilient.toml", &every(2_000, 5));
    sleep(3 * SECOND).await;
    assert_eq!(limit(), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_a_call_has_told_no_poll_tells_again() {
    let folder = Folder::new("told");
    let path = folder.write("resilient.toml", &every(1_000, 3));
    let events = test_util::record();
    configure().file(&path).install().unwrap();
    folder.write("resilient.toml", &every(1_000, 0));
    reload().unwrap_err();
    sleep(5 * SECOND).await;
    assert_eq!(events.words("config"), ["loaded", "refused"]);
    folder.write("resilient.toml", &every(1_000, 4));
    assert_eq!(reload().unwrap().len(), 1);
    sleep(5 * SECOND).await;
    assert_eq!(events.words("config"), ["loaded", "refused", "reloaded"]);
    folder.write("resilient.toml", &every(1_000, 3));
    sleep(5 * SECOND).await;
    assert_eq!(events.words("config"), ["loaded", "refused", "reloaded", "reloaded"], "it went on watching");
}

/// Files that take a while to judge, so that a poll reads one while a call judges the one before it. On
/// real time, which is what threads take: only one thread can have it paused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_change_is_lost_between_polls_and_calls() {
    let folder = Folder::new("between");
    let rename = |limit: u64, sections: usize| {
        let unused: Vec<_> =
            (0..sections).map(|number| format!("[hedge.unused{number}]\nmax = 3\n")).collect();
        let unused = unused.concat();
        let lenient = format!("{unused}[resilient]\non_unknown_policy = \"warn\"\n");
        let new = folder.write("new", &every(100, limit).replace("[resilient]\n", &lenient));
        fs::rename(new, folder.0.join("resilient.toml")).unwrap();
    };
    let path = folder.write("resilient.toml", &every(100, 3));
    configure().file(&path).install().unwrap();
    let registry = registry();
    for round in 0..4 {
        rename(4 + 2 * round, 600);
        let call = std::thread::spawn(move || registry.reload().unwrap());
        sleep(Duration::from_millis(10)).await;
        rename(5 + 2 * round, 1_400);
        call.join().unwrap();
        let deadline = Instant::now() + 10 * SECOND;
        while limit() != Duration::from_secs(5 + 2 * round) {
            assert!(Instant::now() < deadline, "the change {round} was lost");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn a_call_reloads_and_tells_what_changed() {
    let folder = Folder::new("call");
    let path = folder.write("resilient.toml", "[timeout.quotes]\nlimit = \"3s\"\n");
    configure().file(&path).timeout("hang", |t| t.limit(SECOND)).install().unwrap();
    assert_eq!(reload().unwrap(), []);
    folder.write("resilient.toml", "[circuit_breaker.payments]\nfailure_threshold = 4\n");
    let changes: Vec<_> = reload().unwrap().iter().map(ToString::to_string).collect();
    let expected =
        ["circuit_breaker.payments.failure_threshold: 1 -> 4", "timeout.quotes.limit: \"3s\" -> \"2s\""];
    assert_eq!(changes, expected);
    folder.write("resilient.toml", "[resilient.log]\nopened = \"error\"\nclosed = \"off\"\n");
    reload().unwrap();
    folder.write(
        "resilient.toml",
        "[resilient.log]\nopened = \"info\"\nclosed = \"off\"\nrejected = \"trace\"\n",
    );
    let changes: Vec<_> = reload().unwrap().iter().map(ToString::to_string).collect();
    let expected =
        ["resilient.log.opened: \"error\" -> \"info\"", "resilient.log.rejected: default -> \"trace\""];
    assert_eq!(changes, expected);
    folder.write("resilient.toml", "[timeout.quotes]\nlimit = 3\n[timeout.hang]\nlimt = \"1s\"");
    assert_eq!(reload().unwrap_err().faults().len(), 2);
    assert_eq!(reload().unwrap_err().faults().len(), 2, "whoever asks is answered");
}

#[tokio::test]
async fn without_files_a_reload_changes_nothing() {
    configure().timeout("quotes", |t| t.limit(9 * SECOND)).install().unwrap();
    assert_eq!(reload().unwrap(), []);
    assert_eq!(limit(), 9 * SECOND);
}

#[cfg(unix)]
#[tokio::test]
async fn a_process_that_is_told_to_hang_up_reloads() {
    let folder = Folder::new("hangup");
    let path = folder.write("resilient.toml", "[timeout.quotes]\nlimit = \"3s\"\n");
    configure().file(&path).reload_on_hangup().install().unwrap();
    folder.write("resilient.toml", "[timeout.quotes]\nlimit = \"4s\"\n");
    let sent = std::process::Command::new("kill").args(["-HUP", &std::process::id().to_string()]).status();
    assert!(sent.unwrap().success());
    let deadline = Instant::now() + 10 * SECOND;
    while limit() != 4 * SECOND {
        assert!(Instant::now() < deadline, "nothing was reloaded");
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_watch_ends_with_its_runtime() {
    let folder = Folder::new("runtime");
    let path = folder.write("resilient.toml", &limit_of(3));
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime().block_on(async {
        configure().file(&path).reload_on_hangup_if_unix().install().unwrap();
    });
    runtime().block_on(async {
        sleep(60 * SECOND).await;
        assert_eq!(limit(), 2 * SECOND, "a runtime of its own has settings of its own");
    });
}

trait OnUnix {
    fn reload_on_hangup_if_unix(self) -> Self;
}

impl OnUnix for resilient_runtime::Configure {
    fn reload_on_hangup_if_unix(self) -> Self {
        #[cfg(unix)]
        return self.reload_on_hangup();
        #[cfg(not(unix))]
        self
    }
}

/// Calls that pass, each beside one that an open breaker refuses.
async fn calls_for(time: Duration) -> u64 {
    let mut calls = 0;
    let end = Instant::now() + time;
    while Instant::now() < end {
        report().await.unwrap();
        let refused = pay().await;
        assert!(matches!(refused, Err(Fault::Rejected(Rejected::CircuitOpen { name: "payments", .. }))));
        calls += 1;
    }
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_reloads_beside_64_tasks_lose_nothing() {
    let folder = Folder::new("thousand");
    let text = |limit: usize| {
        format!("[timeout.hang]\nlimit = \"{limit}m\"\n[bulkhead.reports]\nmax_concurrent = 64\n")
    };
    let path = folder.write("resilient.toml", &text(1));
    configure().file(&path).install().unwrap();
    pay().await.unwrap_err();
    let tasks: Vec<_> = (0..64).map(|_| tokio::spawn(calls_for(SECOND))).collect();
    for round in 0..1_000 {
        folder.write("resilient.toml", &text(1 + (round + 1) % 2));
        let changes = reload().unwrap();
        assert_eq!(changes.len(), 1, "{changes:?}");
        tokio::task::yield_now().await;
    }
    let mut calls = 0;
    for task in tasks {
        calls += task.await.unwrap();
    }
    assert_eq!(registry().circuit_breaker("payments").unwrap().state(), CircuitState::Open);
    let reports = registry().bulkhead("reports").unwrap().snapshot();
    assert_eq!((reports.running, reports.rejected), (0, 0), "{reports:?}");
    assert_eq!(reports.admitted, calls, "each call was counted once");
    let renew = |round| {
        folder.write("resilient.toml", &text(1 + (round + 1) % 2));
        reload().unwrap();
    };
    let growth = |rounds: usize| allocation_counter::measure(|| (0..rounds).for_each(renew)).bytes_current;
    growth(100);
    assert!(growth(100) <= 0, "a reload left something behind");
}

#[tokio::test]
async fn refused_files_leave_no_more_behind_than_their_faults() {
    let folder = Folder::new("refused");
    let text =
        |round: usize| format!("# {round}\n[timeout.quotes]\nlimit = 5\n{}", "# longer\n".repeat(10_000));
    let path = folder.write("resilient.toml", "");
    configure().file(&path).install().unwrap();
    let refuse = |round| {
        folder.write("resilient.toml", &text(round));
        let error = reload().unwrap_err().to_string();
        assert!(error.ends_with(":3:9\n  |\n3 | limit = 5\n  |         ^"), "{error}");
    };
    refuse(0);
    let left = allocation_counter::measure(|| (1..100).for_each(refuse)).bytes_current;
    assert!(left < 200_000, "{left} bytes of 9 MB are left");
    let kept = registry().recent("resilient", "config").unwrap();
    let EventKind::ConfigRefused { error } = &kept.events.last().unwrap().kind else { panic!("{kept:?}") };
    assert_eq!(error.faults()[0].path(), "timeout.quotes.limit");
}

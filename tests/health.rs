//! Checks run in the background, one run of each at a time, and whoever asks reads what they found out.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::{Cell, RefCell};
use std::future::{Ready, pending};
use std::io;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use resilient_runtime::{
    CheckFailure, CircuitBreaker, CircuitState, Class, EventKind, Fault, HealthCheck, HealthError,
    HealthStatus, Readiness, circuit_breaker, configure, health, health_check, load_shed, registry, retry,
    test_util, timeout,
};
use tokio::time::{Instant, advance, sleep};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What the annotated checks of this thread's test do.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Pass,
    Fail,
    Hang,
    Panic,
}

thread_local! {
    static DATABASE: Cell<Does> = const { Cell::new(Does::Pass) };
    static MAIL: Cell<Does> = const { Cell::new(Does::Pass) };
    static RUNS: RefCell<Vec<Instant>> = const { RefCell::new(Vec::new()) };
    static RUNNING: Cell<u32> = const { Cell::new(0) };
}

/// Counts the runs that have not ended.
struct Under;

impl Under {
    fn way() -> Self {
        RUNNING.set(RUNNING.get() + 1);
        assert_eq!(RUNNING.get(), 1, "one run at a time");
        Self
    }
}

impl Drop for Under {
    fn drop(&mut self) {
        RUNNING.set(RUNNING.get() - 1);
    }
}

async fn does(what: Does) -> io::Result<u32> {
    match what {
        Does::Pass => Ok(7),
        Does::Fail => Err(io::ErrorKind::ConnectionRefused.into()),
        Does::Hang => pending().await,
        Does::Panic => panic!("the check panics"),
    }
}

/// Asks the database.
#[health_check(name = "database", critical, interval = "10s", timeout = "1s")]
async fn database() -> io::Result<u32> {
    let _under = Under::way();
    RUNS.with_borrow_mut(|runs| runs.push(Instant::now()));
    does(DATABASE.get()).await
}

const OFTEN: Duration = secs(4);

mod mail {
    use super::*;

    #[timeout("500ms")]
    #[health_check(name = "mail", interval = OFTEN)]
    #[retry(max = 2, base = "1ms", jitter = "none")]
    pub(crate) async fn probe() -> io::Result<()> {
        does(MAIL.get()).await.map(drop)
    }
}

#[track_caller]
fn status_of(check: &str) -> HealthStatus {
    health().check(check).unwrap().status
}

fn ready() -> (HealthStatus, u16) {
    let report = health().ready();
    (report.status, report.http_status())
}

#[tokio::test(start_paused = true)]
async fn a_check_that_nobody_started_is_unknown() {
    sleep(secs(60)).await;
    assert_eq!((status_of("database"), status_of("mail")), (HealthStatus::Unknown, HealthStatus::Unknown));
    assert_eq!(ready(), (HealthStatus::Unknown, 503));
    assert_eq!(health().live().http_status(), 200);
    let check = health().check("database").unwrap();
    assert_eq!((check.running, check.passed, check.age, check.took), (false, 0, None, None));
}

#[tokio::test(start_paused = true)]
async fn a_check_can_be_called_as_it_was() {
    assert_eq!(database().await.unwrap(), 7);
    mail::probe().await.unwrap();
    assert_eq!(health().check("database").unwrap().passed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_check_is_known_within_a_second_of_the_start() {
    let _tasks = health().start().unwrap();
    assert_eq!(ready(), (HealthStatus::Unknown, 503));
    sleep(secs(1)).await;
    assert_eq!(ready(), (HealthStatus::Up, 200));
    let check = health().check("database").unwrap();
    assert_eq!((check.passed, check.failure, check.running), (1, None, true));
    assert!(check.critical && !health().check("mail").unwrap().critical);
}

#[tokio::test(start_paused = true)]
async fn a_critical_check_that_fails_makes_not_ready() {
    DATABASE.set(Does::Fail);
    let _tasks = health().start().unwrap();
    sleep(secs(1)).await;
    assert_eq!(ready(), (HealthStatus::Down, 503));
    assert_eq!(health().check("database").unwrap().failure, Some(CheckFailure::Error(Class::Transient)));
    assert_eq!(health().live().status, HealthStatus::Up);
    DATABASE.set(Does::Pass);
    sleep(secs(10)).await;
    assert_eq!(ready(), (HealthStatus::Up, 200));
}

#[tokio::test(start_paused = true)]
async fn another_check_that_fails_degrades() {
    MAIL.set(Does::Fail);
    let _tasks = health().start().unwrap();
    sleep(secs(1)).await;
    assert_eq!(ready(), (HealthStatus::Degraded, 200));
    let down: Vec<_> =
        health().ready().checks.into_iter().filter(|it| it.status == HealthStatus::Down).collect();
    assert_eq!(down.iter().map(|check| check.name).collect::<Vec<_>>(), ["mail"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_hangs_is_given_up_and_dropped() {
    DATABASE.set(Does::Hang);
    let _tasks = health().start().unwrap();
    sleep(secs(1)).await;
    assert_eq!((RUNNING.get(), status_of("database")), (1, HealthStatus::Unknown));
    sleep(secs(1)).await;
    assert_eq!((RUNNING.get(), status_of("database")), (0, HealthStatus::Down));
    let check = health().check("database").unwrap();
    assert_eq!(
        (check.failure, check.timed_out, check.took),
        (Some(CheckFailure::TimedOut), 1, Some(secs(1)))
    );
}

#[tokio::test(start_paused = true)]
async fn a_run_that_panics_has_failed_and_another_one_follows() {
    DATABASE.set(Does::Panic);
    let _tasks = health().start().unwrap();
    sleep(secs(12)).await;
    let check = health().check("database").unwrap();
    assert_eq!((check.failure, check.panicked), (Some(CheckFailure::Panicked), 2));
    DATABASE.set(Does::Pass);
    sleep(secs(10)).await;
    assert_eq!(ready(), (HealthStatus::Up, 200));
}

/// Panics when it is dropped.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "the pin is out");
    }
}

async fn hangs_with(_held: Grenade) -> Result<(), ()> {
    pending().await
}

#[tokio::test(start_paused = true)]
async fn what_panics_when_it_is_dropped_does_not_end_the_checks() {
    HealthCheck::new("dropped").interval(secs(2)).register(|| hangs_with(Grenade)).unwrap();
    HealthCheck::new("thrown")
        .interval(secs(2))
        .register(|| -> Ready<Result<(), ()>> { std::panic::panic_any(Grenade) })
        .unwrap();
    let _tasks = health().start().unwrap();
    sleep(secs(30)).await;
    for name in ["dropped", "thrown"] {
        let check = health().check(name).unwrap();
        assert!(check.running && check.panicked >= 5, "{check:?}");
    }
}

static SLOW: Mutex<Vec<Instant>> = Mutex::new(Vec::new());

async fn slow() -> Result<(), ()> {
    SLOW.lock().unwrap().push(Instant::now());
    sleep(secs(30)).await;
    Ok(())
}

/// The times between what happened.
fn gaps(moments: &[Instant]) -> Vec<Duration> {
    moments.windows(2).map(|pair| pair[1].duration_since(pair[0])).collect()
}

#[tokio::test(start_paused = true)]
async fn the_next_interval_begins_where_the_last_run_ended() {
    HealthCheck::new("slow").interval(secs(10)).timeout(secs(60)).register(slow).unwrap();
    let _tasks = health().start().unwrap();
    sleep(secs(200)).await;
    let gaps = gaps(&SLOW.lock().unwrap());
    assert!(gaps.len() >= 4 && gaps.iter().all(|gap| (secs(39)..=secs(41)).contains(gap)), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_too_late_has_failed_although_nobody_could_give_it_up() {
    async fn holds_the_thread() -> io::Result<()> {
        advance(secs(2)).await;
        Ok(())
    }
    HealthCheck::new("holds").timeout(secs(1)).register(holds_the_thread).unwrap();
    let _checks = health().start().unwrap();
    sleep(secs(5)).await;
    let report = health().ready();
    let check = report.checks.iter().find(|check| check.name == "holds").unwrap();
    assert_eq!((check.failure, check.passed, check.took), (Some(CheckFailure::TimedOut), 0, Some(secs(2))));
}

#[tokio::test(start_paused = true)]
async fn runs_never_pile_up() {
    DATABASE.set(Does::Hang);
    configure()
        .health_check("database", |check| check.interval(Duration::from_millis(1)).timeout(secs(60)))
        .install()
        .unwrap();
    let _tasks = health().start().unwrap();
    sleep(secs(600)).await;
    assert!(RUNS.with_borrow(Vec::len) <= 11);
}

#[tokio::test(start_paused = true)]
async fn waits_vary_and_repeat_under_a_seed() {
    let mut both = Vec::new();
    for _ in 0..2 {
        test_util::seed(3);
        RUNS.with_borrow_mut(Vec::clear);
        let tasks = health().start().unwrap();
        sleep(secs(100)).await;
        drop(tasks);
        both.push(RUNS.with_borrow(|runs| gaps(runs)));
        sleep(secs(1)).await;
    }
    assert_eq!(both[0], both[1]);
    let most = secs(10) + Duration::from_millis(1);
    assert!(both[0].iter().all(|wait| (secs(9)..=most).contains(wait)), "{both:?}");
    assert!(both[0].windows(2).any(|pair| pair[0] != pair[1]));
}

#[tokio::test(start_paused = true)]
async fn dropped_tasks_end_the_checks() {
    DATABASE.set(Does::Hang);
    let tasks = health().start().unwrap();
    sleep(secs(1)).await;
    assert_eq!(RUNNING.get(), 1);
    drop(tasks);
    assert_eq!((status_of("mail"), ready()), (HealthStatus::Unknown, (HealthStatus::Unknown, 503)));
    sleep(secs(1)).await;
    assert_eq!(RUNNING.get(), 0);
    let runs = RUNS.with_borrow(Vec::len);
    sleep(secs(60)).await;
    assert_eq!(RUNS.with_borrow(Vec::len), runs);
    DATABASE.set(Does::Pass);
    let _again = health().start().unwrap();
    sleep(secs(1)).await;
    assert_eq!(ready(), (HealthStatus::Up, 200));
}

#[tokio::test(start_paused = true)]
async fn detached_checks_go_on() {
    health().start().unwrap().detach();
    sleep(secs(60)).await;
    assert_eq!(ready(), (HealthStatus::Up, 200));
    assert_eq!(health().start().unwrap_err(), HealthError::Running);
}

#[tokio::test(start_paused = true)]
async fn checks_start_once_at_a_time() {
    let first = health().start().unwrap();
    assert_eq!(health().start().unwrap_err(), HealthError::Running);
    drop(first);
    let _second = health().start().unwrap();
}

#[test]
fn checks_start_in_a_runtime() {
    let error = health().start().unwrap_err();
    assert_eq!(error, HealthError::NoRuntime);
    assert!(error.to_string().contains("inside a tokio runtime"), "{error}");
    assert_eq!(format!("{error:?}"), error.to_string(), "a `main` that returns it shows it by its `Debug`");
}

#[test]
fn a_runtime_that_ends_takes_its_checks_along() {
    DATABASE.set(Does::Hang);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let tasks = runtime.block_on(async {
        let tasks = health().start().unwrap();
        sleep(secs(1)).await;
        assert_eq!(RUNNING.get(), 1);
        tasks
    });
    drop(runtime);
    assert_eq!(RUNNING.get(), 0);
    drop(tasks);
}

#[test]
fn a_hundred_runtimes_share_no_check() {
    for n in 0..100 {
        let fails = n % 2 == 1;
        DATABASE.set(if fails { Does::Fail } else { Does::Pass });
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            assert_eq!(status_of("database"), HealthStatus::Unknown);
            HealthCheck::new("by hand").register(|| async { Ok::<_, ()>(()) }).unwrap();
            health().start().unwrap().detach();
            sleep(secs(1)).await;
            let expected = if fails { HealthStatus::Down } else { HealthStatus::Up };
            assert_eq!(status_of("database"), expected);
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_finding_that_is_too_old_is_none() {
    let _tasks = health().start().unwrap();
    sleep(secs(1)).await;
    assert_eq!(status_of("database"), HealthStatus::Up);
    // Time goes by and no task gets to run: the thread is blocked.
    let blocked = advance(secs(60));
    let mut blocked = std::pin::pin!(blocked);
    let polled = futures::poll!(blocked.as_mut());
    assert_eq!(status_of("database"), HealthStatus::Unknown, "{polled:?}");
    blocked.await;
    sleep(secs(1)).await;
    assert_eq!(status_of("database"), HealthStatus::Up);
}

fn ready_if(there: bool) -> Ready<Result<(), &'static str>> {
    std::future::ready(if there { Ok(()) } else { Err("not yet") })
}

#[tokio::test(start_paused = true)]
async fn checks_by_hand_join_those_that_run() {
    let _tasks = health().start().unwrap();
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let late = move || ready_if(counted.fetch_add(1, Relaxed) > 0);
    HealthCheck::new("queue").critical(true).register(late).unwrap();
    sleep(secs(1)).await;
    assert_eq!(ready(), (HealthStatus::Down, 503));
    assert_eq!(health().check("queue").unwrap().failure, Some(CheckFailure::Error(Class::Unknown)));
    sleep(secs(10)).await;
    assert_eq!((ready(), calls.load(Relaxed)), ((HealthStatus::Up, 200), 2));
    assert!(health().remove("queue"));
    assert_eq!(health().check("queue"), None);
    assert!(!health().remove("queue") && !health().remove("database") && !health().remove("nobody"));
    sleep(secs(60)).await;
    assert_eq!(calls.load(Relaxed), 2);
    assert_eq!(Arc::strong_count(&calls), 1, "the closure is gone");
}

#[tokio::test(start_paused = true)]
async fn a_name_is_given_once() {
    let twice = || HealthCheck::new("twice").register(|| async { Ok::<_, ()>(()) });
    twice().unwrap();
    let error = twice().unwrap_err();
    assert_eq!(error.faults().len(), 1);
    assert!(error.to_string().contains("health_check.twice: there is a check of this name"), "{error}");
    let error = HealthCheck::new("database").register(|| async { Ok::<_, ()>(()) }).unwrap_err();
    assert!(error.to_string().contains("health_check.database"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_is_out_of_range_is_told_at_once() {
    let wrong = HealthCheck::new(" ").interval(Duration::ZERO).timeout(Duration::MAX);
    let error = wrong.register(|| async { Ok::<_, ()>(()) }).unwrap_err();
    assert_eq!(
        error.faults().iter().map(|fault| fault.key).collect::<Vec<_>>(),
        [Some("interval"), Some("timeout"), None]
    );
    let error = configure()
        .health_check("databse", |check| check)
        .health_check("mail", |check| check.timeout(Duration::ZERO))
        .install()
        .unwrap_err();
    assert!(error.to_string().contains("did you mean `database`?"), "{error}");
    assert_eq!(error.faults()[1].key, Some("timeout"));
}

#[tokio::test(start_paused = true)]
async fn settings_by_name_hold_over_those_of_the_attribute() {
    let _tasks = health().start().unwrap();
    sleep(secs(1)).await;
    configure()
        .health_check("database", |check| check.critical(false).interval(secs(3_600)))
        .install()
        .unwrap();
    let check = health().check("database").unwrap();
    assert_eq!((check.critical, check.interval, check.timeout), (false, secs(3_600), secs(1)));
    sleep(secs(60)).await;
    assert_eq!(health().check("database").unwrap().passed, 1);
    // The wait that has begun ends by the new interval.
    configure().health_check("database", |check| check.interval(secs(61))).install().unwrap();
    sleep(secs(1)).await;
    assert_eq!(health().check("database").unwrap().passed, 2);
    assert!(health().check("database").unwrap().critical);
}

#[tokio::test(start_paused = true)]
async fn settings_by_hand_outlive_an_install() {
    HealthCheck::new("disk").interval(secs(77)).register(|| async { Ok::<_, ()>(()) }).unwrap();
    configure().health_check("disk", |check| check.timeout(secs(2))).install().unwrap();
    configure().install().unwrap();
    assert_eq!(health().check("disk").unwrap().interval, secs(77));
}

#[tokio::test(start_paused = true)]
async fn a_change_is_an_event() {
    let events = test_util::record();
    let tasks = health().start().unwrap();
    sleep(secs(30)).await;
    DATABASE.set(Does::Fail);
    sleep(secs(30)).await;
    DATABASE.set(Does::Hang);
    // Two waits and two runs take at most this long, and three at least five seconds more.
    sleep(secs(23)).await;
    drop(tasks);
    assert_eq!(
        events.words("database"),
        ["health_up", "health_down", "timed_out", "timed_out", "health_unknown"]
    );
    let kinds = events.kinds("database");
    assert_eq!(
        kinds[1],
        EventKind::HealthChanged {
            from: HealthStatus::Up,
            to: HealthStatus::Down,
            failure: Some(CheckFailure::Error(Class::Transient)),
        }
    );
    assert!(
        events.events().iter().filter(|event| event.policy == "database").all(|it| it.stem == "health_check")
    );
    assert_eq!(kinds[1].to_string(), "was up, is down (error, transient)");
}

#[tokio::test(start_paused = true)]
async fn reset_forgets_counts_and_keeps_what_is_known() {
    let _tasks = health().start().unwrap();
    sleep(secs(1)).await;
    assert!(registry().reset("health_check", "database"));
    let check = health().check("database").unwrap();
    assert_eq!((check.passed, check.status), (0, HealthStatus::Up));
}

#[tokio::test(start_paused = true)]
async fn a_run_knows_until_when_it_may_take() {
    static LEFT: Mutex<Option<Duration>> = Mutex::new(None);
    let look = || async {
        *LEFT.lock().unwrap() = resilient_runtime::deadline().map(|at| at.duration_since(Instant::now()));
        Ok::<_, ()>(())
    };
    HealthCheck::new("deadline").timeout(secs(3)).register(look).unwrap();
    let _tasks = health().start().unwrap();
    sleep(secs(1)).await;
    assert_eq!(*LEFT.lock().unwrap(), Some(secs(3)));
}

fn read_a_thousand_times() {
    for _ in 0..1_000 {
        let report = health().ready();
        assert!(report.checks.len() == 2 && report.to_json().starts_with("{\"status\":"));
        let _ = (health().policies(), health().live());
    }
}

#[tokio::test(start_paused = true)]
async fn reads_take_no_more_memory_while_checks_run() {
    configure()
        .health_check("database", |check| check.interval(Duration::from_millis(10)))
        .install()
        .unwrap();
    let _tasks = health().start().unwrap();
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(allocation_counter::measure(read_a_thousand_times).bytes_current);
        sleep(secs(60)).await;
    }
    assert_eq!(held, [0; 3]);
    assert!(health().check("database").unwrap().passed > 10_000);
}

#[tokio::test(start_paused = true)]
async fn a_report_is_told_in_json() {
    DATABASE.set(Does::Fail);
    let _tasks = health().start().unwrap();
    sleep(secs(1)).await;
    let text = health().ready().to_json();
    assert!(
        text.starts_with(r#"{"status":"down","checks":[{"name":"database","status":"down","critical":true,"#)
    );
    assert!(text.contains(r#""failure":"error","error_class":"transient","#), "{text}");
    assert!(text.contains(r#""interval":4,"timeout":1,"passed":1,"#), "{text}");
    assert_eq!(health().live().to_json(), r#"{"status":"up","checks":[],"policies":[]}"#);
}

/// A dependency that a check watches.
#[circuit_breaker(name = "orders", failure_threshold = 2, reset_timeout = "60s", health = "database")]
async fn order(ok: bool) -> Result<(), Fault<&'static str>> {
    order_of(ok).await
}

#[circuit_breaker(name = "baskets", key = tenant, health = "database", success_threshold = 1)]
async fn basket(tenant: u32) -> Result<(), Fault<()>> {
    std::future::ready(Ok(())).await
}

#[circuit_breaker(name = "vital", failure_threshold = 1, reset_timeout = "60s", readiness = "fail")]
async fn vital(ok: bool) -> Result<(), Fault<&'static str>> {
    order_of(ok).await
}

#[circuit_breaker(name = "useful", failure_threshold = 1, readiness = "degrade")]
async fn useful(ok: bool) -> Result<(), Fault<&'static str>> {
    order_of(ok).await
}

#[circuit_breaker(name = "idle", failure_threshold = 1)]
async fn idle(ok: bool) -> Result<(), Fault<&'static str>> {
    order_of(ok).await
}

async fn order_of(ok: bool) -> Result<(), Fault<&'static str>> {
    std::future::ready(if ok { Ok(()) } else { Err(Fault::Failed("down")) }).await
}

fn breaker(name: &str) -> &'static CircuitBreaker {
    registry().circuit_breaker(name).unwrap()
}

/// Each change of a breaker, from where to where and why.
fn changes(events: &test_util::Recorder, name: &str) -> Vec<String> {
    let told = |kind| match kind {
        EventKind::StateChanged { from, to, cause, .. } => Some(format!("{from} {to} {cause}")),
        _ => None,
    };
    events.kinds(name).into_iter().filter_map(told).collect()
}

#[tokio::test(start_paused = true)]
async fn a_failing_check_holds_its_breaker_open_and_a_passing_one_lets_it_try() {
    let events = test_util::record();
    DATABASE.set(Does::Fail);
    let _tasks = health().start().unwrap();
    order(true).await.unwrap();
    sleep(secs(1)).await;
    assert_eq!(breaker("orders").state(), CircuitState::Open);
    let Err(Fault::Rejected(refused)) = order(true).await else { panic!("held open") };
    assert_eq!((refused.name(), refused.retry_after()), ("orders", None));
    // Longer than any open time: it stays so as long as the check fails.
    sleep(secs(3_600)).await;
    order(true).await.unwrap_err();
    assert_eq!(breaker("orders").snapshot().held_by, Some("database"));
    assert_eq!(breaker("idle").state(), CircuitState::Closed);
    DATABASE.set(Does::Pass);
    sleep(secs(11)).await;
    assert_eq!(
        (breaker("orders").state(), breaker("orders").snapshot().held_by),
        (CircuitState::HalfOpen, None)
    );
    order(true).await.unwrap();
    order(true).await.unwrap();
    assert_eq!(breaker("orders").state(), CircuitState::Closed);
    assert_eq!(
        changes(&events, "orders"),
        ["closed open health_failed", "open half_open health_passed", "half_open closed probes_succeeded"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_passing_check_lets_an_open_breaker_try_early_once() {
    let events = test_util::record();
    let _tasks = health().start().unwrap();
    sleep(secs(2)).await;
    for _ in 0..2 {
        order(false).await.unwrap_err();
    }
    assert_eq!(breaker("orders").state(), CircuitState::Open);
    sleep(secs(10)).await;
    assert_eq!(breaker("orders").state(), CircuitState::HalfOpen);
    // Calls fail though the check passes: what it finds out is worth nothing here.
    order(false).await.unwrap_err();
    sleep(secs(50)).await;
    assert_eq!(breaker("orders").state(), CircuitState::Open);
    sleep(secs(10)).await;
    assert_eq!(breaker("orders").state(), CircuitState::HalfOpen);
    order(true).await.unwrap();
    assert_eq!(
        changes(&events, "orders"),
        [
            "closed open failure_threshold",
            "open half_open health_passed",
            "half_open open probe_failed",
            "open half_open open_time_elapsed"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_done_by_hand_goes_before_a_check() {
    let events = test_util::record();
    breaker("orders").disable();
    DATABASE.set(Does::Fail);
    let _tasks = health().start().unwrap();
    sleep(secs(1)).await;
    order(true).await.unwrap();
    assert_eq!(breaker("orders").state(), CircuitState::Disabled);
    breaker("orders").observe();
    order(true).await.unwrap();
    assert_eq!(breaker("orders").snapshot().would_be, CircuitState::Open);
    // Whatever is forgotten, the check goes on failing.
    breaker("orders").resume();
    assert_eq!(breaker("orders").state(), CircuitState::Open);
    breaker("orders").reset();
    order(true).await.unwrap_err();
    DATABASE.set(Does::Pass);
    breaker("orders").force_open();
    sleep(secs(11)).await;
    order(true).await.unwrap_err();
    breaker("orders").resume();
    order(true).await.unwrap();
    assert_eq!(
        changes(&events, "orders"),
        [
            "closed disabled manual",
            "disabled observing manual",
            "observing open manual",
            "open forced_open manual",
            "forced_open closed manual"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn without_its_check_a_breaker_is_as_any_other() {
    let events = test_util::record();
    DATABASE.set(Does::Fail);
    let tasks = health().start().unwrap();
    sleep(secs(1)).await;
    order(true).await.unwrap_err();
    drop(tasks);
    assert_eq!(breaker("orders").state(), CircuitState::HalfOpen);
    order(true).await.unwrap();
    order(true).await.unwrap();
    assert_eq!(
        changes(&events, "orders"),
        ["closed open health_failed", "open half_open health_unknown", "half_open closed probes_succeeded"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_check_that_is_not_heard_of_any_more_holds_nothing() {
    DATABASE.set(Does::Fail);
    let _tasks = health().start().unwrap();
    sleep(secs(1)).await;
    order(true).await.unwrap_err();
    // As above: the thread is blocked, and nobody runs the check.
    let mut blocked = std::pin::pin!(advance(secs(21)));
    let _ = futures::poll!(blocked.as_mut());
    assert_eq!(breaker("orders").state(), CircuitState::HalfOpen);
    order(true).await.unwrap();
    blocked.await;
}

#[tokio::test(start_paused = true)]
async fn each_key_of_a_breaker_is_held_open() {
    basket(1).await.unwrap();
    DATABASE.set(Does::Fail);
    let _tasks = health().start().unwrap();
    sleep(secs(1)).await;
    basket(1).await.unwrap_err();
    basket(2).await.unwrap_err();
    DATABASE.set(Does::Pass);
    sleep(secs(11)).await;
    for tenant in [1, 2, 3] {
        basket(tenant).await.unwrap();
        assert_eq!(breaker("baskets").state_of(&tenant.to_string()), Some(CircuitState::Closed));
    }
}

#[tokio::test(start_paused = true)]
async fn another_check_can_be_named_while_it_runs() {
    DATABASE.set(Does::Fail);
    let _tasks = health().start().unwrap();
    sleep(secs(1)).await;
    order(true).await.unwrap_err();
    configure().circuit_breaker("orders", |b| b.health("mail")).install().unwrap();
    sleep(secs(1)).await;
    order(true).await.unwrap();
    configure().circuit_breaker("orders", |b| b.health("none")).install().unwrap();
    order(true).await.unwrap();
    configure().install().unwrap();
    order(true).await.unwrap_err();
    assert_eq!(breaker("orders").snapshot().held_by, Some("database"));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_no_check_has_is_a_fault() {
    let error = configure().circuit_breaker("orders", |b| b.health("databse")).install().unwrap_err();
    let [fault] = error.faults() else { panic!("{error}") };
    assert_eq!((fault.stem, fault.name, fault.key), ("circuit_breaker", "orders", Some("health")));
    assert_eq!(fault.message, "no health check is called `databse`; did you mean `database`?");
    let later = || configure().circuit_breaker("orders", |b| b.health("late"));
    assert!(later().install().is_err());
    later().expect("late").install().unwrap();
    let _tasks = health().start().unwrap();
    HealthCheck::new("late").register(|| async { Err::<(), _>(()) }).unwrap();
    sleep(secs(1)).await;
    order(true).await.unwrap_err();
    assert!(health().remove("late"));
    assert_eq!(breaker("orders").state(), CircuitState::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn a_policy_means_for_readiness_what_it_says() {
    let _tasks = health().start().unwrap();
    sleep(secs(1)).await;
    idle(false).await.unwrap_err();
    assert_eq!((breaker("idle").state(), ready()), (CircuitState::Open, (HealthStatus::Up, 200)));
    useful(false).await.unwrap_err();
    assert_eq!(ready(), (HealthStatus::Degraded, 200));
    vital(false).await.unwrap_err();
    assert_eq!(ready(), (HealthStatus::Down, 503));
    // Half-open it needs calls.
    sleep(secs(61)).await;
    assert_eq!(ready(), (HealthStatus::Up, 200));
    vital(true).await.unwrap();
    breaker("vital").force_open();
    assert_eq!(ready(), (HealthStatus::Down, 503));
    breaker("vital").disable();
    assert_eq!(ready(), (HealthStatus::Up, 200));
    let asked: Vec<_> = health().ready().policies.iter().map(|policy| policy.snapshot.name()).collect();
    assert_eq!(asked, ["useful", "vital", "shop"]);
    let explained = registry().explain();
    let idle = explained.rows().iter().find(|row| (row.policy, row.key) == ("idle", "readiness")).unwrap();
    assert_eq!(idle.to_string(), "circuit_breaker.idle.readiness = \"ignore\"  (built in)");
    configure().circuit_breaker("idle", |b| b.readiness(Readiness::Fail)).install().unwrap();
    breaker("idle").force_open();
    assert_eq!(ready(), (HealthStatus::Down, 503));
}

#[load_shed(name = "shop", initial_limit = 1, min_limit = 1, max_limit = 1, readiness = "fail")]
async fn visit() -> Result<(), Fault<()>> {
    sleep(secs(1)).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_overload_is_forgotten_when_no_calls_come() {
    let _tasks = health().start().unwrap();
    sleep(secs(1)).await;
    let calls = futures::future::join_all((0..10).map(|_| visit())).await;
    assert!(calls.iter().any(Result::is_err));
    assert_eq!(ready(), (HealthStatus::Down, 503));
    sleep(secs(10)).await;
    assert!(!registry().load_shed("shop").unwrap().snapshot().overloaded);
    assert_eq!(ready(), (HealthStatus::Up, 200));
}

#[tokio::test(start_paused = true)]
async fn policies_are_told_with_their_figures() {
    useful(false).await.unwrap_err();
    let report = health().policies();
    assert_eq!((report.status, report.http_status()), (HealthStatus::Degraded, 200));
    let text = report.to_json();
    let told = r#"{"kind":"circuit_breaker","name":"useful","status":"degraded","readiness":"degrade","mode":"enforce","state":"open""#;
    assert!(text.contains(told), "{text}");
    assert!(text.contains(r#""retry_after":30,"#), "{text}");
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["policies"].as_array().unwrap().len(), report.policies.len());
    registry().circuit_breaker("useful").unwrap().disable();
    let text = health().policies().to_json();
    assert!(text.contains(r#""name":"useful","status":"up","readiness":"degrade","mode":"off","#), "{text}");
    assert_eq!(serde_json::to_value(&report).unwrap(), read, "it can be a part of something else");
    assert!(!text.contains("health_check"), "{text}");
}

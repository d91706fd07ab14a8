//! Each runtime has a world of its own, whichever thread acts on it.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, thread};

use resilient_runtime::{Fault, HealthCheck, circuit_breaker, configure, health, registry, test_util};

const SECOND: Duration = Duration::from_secs(1);

#[circuit_breaker(name = "orders")]
async fn order() -> Result<(), Fault<()>> {
    Err(Fault::Failed(()))
}

/// A file that goes when the test is over.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("{name}-{}.toml", std::process::id());
        let file = Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name));
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        fs::write(&self.0, text).unwrap();
    }
}

impl Drop for File {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

/// Reads the files of this runtime's world anew, on a thread that is in no runtime.
fn reload_outside() -> Vec<String> {
    let registry = registry();
    let changes = thread::spawn(move || registry.reload()).join().unwrap();
    changes.unwrap().iter().map(ToString::to_string).collect()
}

async fn fails() -> Result<(), ()> {
    Err(())
}

#[tokio::test(start_paused = true)]
async fn a_reload_from_outside_knows_the_checks_made_by_hand() {
    HealthCheck::new("queue").register(fails).unwrap();
    let file = File::new("checks", "[health_check.queue]\ninterval = \"3s\"\n");
    configure().file(&file.0).install().unwrap();
    file.write("[health_check.queue]\ninterval = \"4s\"\n[circuit_breaker.orders]\nhealth = \"queue\"\n");
    assert_eq!(
        reload_outside(),
        [
            "circuit_breaker.orders.health: default -> \"queue\"",
            "health_check.queue.interval: \"3s\" -> \"4s\""
        ]
    );
    assert_eq!(health().check("queue").unwrap().interval, 4 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_happens_to_a_breaker_from_outside_is_heard_inside() {
    HealthCheck::new("queue").register(fails).unwrap();
    let file = File::new("heard", "");
    configure().file(&file.0).install().unwrap();
    let tasks = health().start().unwrap();
    tokio::time::sleep(SECOND).await;
    let events = test_util::record();
    file.write("[circuit_breaker.orders]\nhealth = \"queue\"\n");
    reload_outside();
    assert_eq!(events.words("orders"), ["opened"]);
    thread::spawn(|| drop(tasks)).join().unwrap();
    assert_eq!(events.words("orders"), ["opened", "half_opened"]);
    order().await.unwrap_err();
    let registry = registry();
    assert!(thread::spawn(move || registry.reset("circuit_breaker", "orders")).join().unwrap());
    assert_eq!(events.words("orders"), ["opened", "half_opened", "opened", "closed"]);
}

#[test]
fn a_runtime_starts_with_what_was_said_of_checks_outside_of_any() {
    HealthCheck::new("outside").register(fails).unwrap();
    configure().health_check("outside", |check| check.interval(SECOND)).install().unwrap();
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        done.send(runtime.block_on(async { health().check("outside").is_some() }))
    });
    let inside = is_done.recv_timeout(10 * SECOND).expect("it does not wait for itself");
    assert!(!inside, "whoever registered it did so elsewhere");
    configure().install().unwrap();
}

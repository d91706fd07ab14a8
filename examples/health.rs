//! A check that fails and recovers, and what depends on it: `cargo run --example health`.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use resilient_runtime::{Fault, HealthError, HealthReport, circuit_breaker, health, health_check, registry};
use tokio::time::{Instant, sleep};

static UP: AtomicBool = AtomicBool::new(true);

/// Asked ten times a second; without it this program is not ready.
#[health_check(name = "database", critical, interval = "100ms", timeout = "50ms")]
async fn database() -> Result<(), &'static str> {
    sleep(Duration::from_millis(5)).await;
    if UP.load(Relaxed) { Ok(()) } else { Err("no connection") }
}

/// Open while the check fails: no call has to fail first.
#[circuit_breaker(name = "orders", health = "database", success_threshold = 1)]
async fn order() -> Result<u32, Fault<&'static str>> {
    sleep(Duration::from_millis(5)).await;
    Ok(42)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), HealthError> {
    report("nobody has started the checks");
    let _checks = health().start()?;
    for (up, what) in [(true, "all is well"), (false, "the database is down"), (true, "it is back")] {
        UP.store(up, Relaxed);
        sleep(Duration::from_millis(250)).await;
        report(what);
        println!("{:13}order() gives {:?}\n", "", order().await);
    }
    println!("{}", health().policies().to_json());
    Ok(())
}

fn report(what: &str) {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    println!("{:>6} ms  {what}", START.elapsed().as_millis());
    let told =
        |view: &str, report: &HealthReport| println!("{view:>20} {} {}", report.http_status(), report.status);
    told("live", &health().live());
    told("ready", &health().ready());
    if let Some(orders) = registry().circuit_breaker("orders") {
        println!("{:>20} {}", "orders", orders.state());
    }
}

//! A listener of the log that panics, wherever in the process it is told something.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use resilient_runtime::{Fault, Snapshot, configure, registry, timeout};
use tokio::time::sleep;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const SECOND: Duration = Duration::from_secs(1);

static PANICS: AtomicU32 = AtomicU32::new(0);

#[timeout("2s", name = "quotes")]
async fn quote() -> Result<(), Fault<()>> {
    Ok(())
}

struct Panicking;

struct Reload;

impl Visit for Reload {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "event" && ["\"reloaded\"", "\"refused\""].contains(&format!("{value:?}").as_str())
        {
            PANICS.fetch_add(1, SeqCst);
            panic!("a listener fails");
        }
    }
}

impl Subscriber for Panicking {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "resilient"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Reload);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn limit() -> Duration {
    let Some(Snapshot::Timeout(quotes)) = registry().snapshot("timeout", "quotes") else {
        panic!("no timeout")
    };
    quotes.limit
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_does_not_end_the_watching() {
    tracing::subscriber::set_global_default(Panicking).expect("the only one");
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("listener-{}.toml", std::process::id()));
    let write = |limit: &str| fs::write(&path, format!("[timeout.quotes]\nlimit = {limit}\n")).unwrap();
    write("\"3s\"");
    configure().file(&path).reload(SECOND).install().unwrap();
    for (told, limit_then) in [("\"4s\"", 4), ("5", 4), ("\"6s\"", 6), ("\"7s\"", 7)] {
        write(told);
        sleep(3 * SECOND).await;
        assert_eq!(limit(), limit_then * SECOND, "{told}");
    }
    assert_eq!(PANICS.load(SeqCst), 4, "each change was told once");
    quote().await.unwrap();
    fs::remove_file(&path).unwrap();
}

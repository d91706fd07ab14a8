//! The log may ask the registry while the registry tells it what functions disagree about.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc;
use std::time::Duration;

use resilient_runtime::{Fault, registry, timeout};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

#[timeout("1s", name = "disputed")]
async fn first() -> Result<(), Fault<()>> {
    Ok(())
}

#[timeout("2s", name = "disputed")]
async fn second() -> Result<(), Fault<()>> {
    Ok(())
}

static WARNINGS: AtomicU32 = AtomicU32::new(0);

/// Looks at every policy whenever something is logged.
struct Curious;

impl Subscriber for Curious {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "resilient"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        WARNINGS.fetch_add(1, Relaxed);
        assert!(registry().timeout("disputed").is_some());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_warning_of_the_first_use_may_use_the_registry() {
    tracing::subscriber::set_global_default(Curious).expect("the only one");
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || {
        let known = registry().snapshots().len();
        let _ = done.send(known);
    });
    let known = wait.recv_timeout(Duration::from_secs(20)).expect("no lock is held while it is told");
    assert_eq!((known, WARNINGS.load(Relaxed)), (1, 1));
    drop((first(), second()));
}

//! A subscriber that keeps the spans of each thread apart, as tests run in one each.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part, and fails by panicking")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};

#[derive(Clone, Debug, Default)]
pub(crate) struct Opened {
    pub(crate) name: &'static str,
    pub(crate) parent: Option<usize>,
    pub(crate) fields: BTreeMap<&'static str, String>,
    pub(crate) handles: usize,
    /// In what order spans were closed; zero while this one is open.
    pub(crate) closed: usize,
}

impl Opened {
    pub(crate) fn get(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }

    pub(crate) fn outcome(&self) -> &str {
        assert!(self.closed > 0, "{self:?} is open");
        self.get("resilience.outcome").unwrap_or("none")
    }
}

#[derive(Default)]
struct Seen {
    spans: Vec<Opened>,
    entered: Vec<usize>,
    closed: usize,
    /// Messages, each with the span it was said in.
    said: Vec<(Option<usize>, String)>,
}

thread_local! {
    static SEEN: RefCell<Seen> = RefCell::default();
}

struct Spans;

struct Fields<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a test opens few")]
fn index(id: &Id) -> usize {
    id.into_u64() as usize - 1
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() || metadata.target() != "resilient"
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        SEEN.with_borrow_mut(|seen| {
            let mut span = Opened { name: attributes.metadata().name(), handles: 1, ..Opened::default() };
            span.parent = seen.entered.last().copied().filter(|_| attributes.is_contextual());
            attributes.record(&mut Fields(&mut span.fields));
            seen.spans.push(span);
            Id::from_u64(seen.spans.len() as u64)
        })
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        SEEN.with_borrow_mut(|seen| values.record(&mut Fields(&mut seen.spans[index(id)].fields)));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        SEEN.with_borrow_mut(|seen| seen.said.push((seen.entered.last().copied(), format!("{fields:?}"))));
    }

    fn enter(&self, id: &Id) {
        SEEN.with_borrow_mut(|seen| seen.entered.push(index(id)));
    }

    fn exit(&self, id: &Id) {
        SEEN.with_borrow_mut(|seen| assert_eq!(seen.entered.pop(), Some(index(id))));
    }

    fn clone_span(&self, id: &Id) -> Id {
        SEEN.with_borrow_mut(|seen| seen.spans[index(id)].handles += 1);
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        SEEN.with_borrow_mut(|seen| {
            let Seen { spans, closed, .. } = seen;
            let span = &mut spans[index(&id)];
            span.handles -= 1;
            if span.handles == 0 {
                *closed += 1;
                span.closed = *closed;
            }
            span.handles == 0
        })
    }
}

/// Sees from now on what this thread opens.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Spans).unwrap());
    SEEN.take();
}

pub(crate) fn spans() -> Vec<Opened> {
    SEEN.with_borrow(|seen| seen.spans.clone())
}

pub(crate) fn entered() -> usize {
    SEEN.with_borrow(|seen| seen.entered.len())
}

pub(crate) fn said() -> Vec<(Option<usize>, String)> {
    SEEN.with_borrow(|seen| seen.said.clone())
}

//! What a layer is, and the list of them.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use resilient_settings::stem::Foreign;
use resilient_settings::words::snake;
use syn::LitStr;

use crate::args;
use crate::func::Func;
use crate::lower::{Level, Scope};
use crate::reader::{Reader, Setting};

mod bulkhead;
mod cache;
mod circuit_breaker;
mod coalesce;
mod fallback;
mod hedge;
mod load_shed;
mod no_clone;
mod rate_limit;
mod resilient;
mod retry;
mod timeout;

pub(crate) use self::resilient::{advice as advice_on_stack, composed};

/// Every attribute of the family.
pub(crate) const KINDS: [&Kind; 11] = [
    &bulkhead::KIND,
    &cache::KIND,
    &circuit_breaker::KIND,
    &coalesce::KIND,
    &fallback::KIND,
    &hedge::KIND,
    &load_shed::KIND,
    &rate_limit::KIND,
    &resilient::KIND,
    &retry::KIND,
    &timeout::KIND,
];

/// What is known of an attribute before its arguments are read.
pub(crate) struct Kind {
    pub(crate) stem: &'static str,
    pub(crate) keys: &'static [&'static str],
    pub(crate) foreign: &'static [Foreign],
    /// What a value without a key should have been.
    pub(crate) lone: &'static str,
    pub(crate) twice: Twice,
    pub(crate) read: fn(&mut Reader<'_>) -> Box<dyn Policy>,
}

impl Kind {
    pub(crate) const fn words(&self) -> Words {
        let Self { stem, keys, foreign, lone, .. } = *self;
        Words { stem, keys, foreign, lone }
    }
}

/// What an attribute may say, be it a layer or not.
#[derive(Clone, Copy)]
pub(crate) struct Words {
    pub(crate) stem: &'static str,
    pub(crate) keys: &'static [&'static str],
    pub(crate) foreign: &'static [Foreign],
    pub(crate) lone: &'static str,
}

impl Words {
    /// Whether there is something to say about a key of this name.
    pub(crate) fn is_known(&self, key: &str) -> bool {
        // What has capitals is the name of something of the user's.
        self.keys.contains(&key)
            || (snake(key) == key && args::advice(self.stem, self.foreign, key).is_some())
    }
}

/// When a function may carry the same attribute twice.
#[derive(PartialEq, Eq)]
pub(crate) enum Twice {
    Never,
    UnderOtherNames,
    Freely,
}

/// One attribute of one function, read and checked.
pub(crate) trait Policy {
    /// The runtime's type of it, as the registry holds one.
    fn registered(&self) -> &'static str;

    /// Wraps everything that stands below.
    fn wrap(&self, scope: &Scope<'_>, inner: Level) -> Level;

    /// Says that the layers below run more than once.
    fn repeats(&self) -> Option<Repeats> {
        None
    }

    /// The longest that the layers below may take.
    fn limit(&self) -> Option<Limit> {
        None
    }

    /// The time after which it does something, if the layers below still run.
    fn delay(&self) -> Option<Limit> {
        None
    }

    /// Whether calls alike wait for one of them instead of running the layers below.
    fn joins_calls(&self) -> bool {
        false
    }

    /// Whether it can take longer than the layers below: it waits, or runs something of its own.
    fn takes_time(&self) -> bool {
        false
    }

    /// Whether failures from below do not get past this layer.
    fn hides_failures(&self) -> Option<Hides> {
        None
    }

    /// Whether it has nothing to do unless it sees failures.
    fn wants_failures(&self) -> bool {
        self.repeats().is_some()
    }

    /// Which variables are needed after the layers below have run.
    fn needs(&self, _func: &Func) -> Uses {
        Uses::default()
    }
}

/// What is known of a layer that runs the ones below it again.
pub(crate) struct Repeats {
    /// The waits that cannot be avoided when every attempt fails, unless a `const` hides them.
    pub(crate) least_waits: Option<Duration>,
    /// Such as `3 attempts with at least 300ms of waits`.
    pub(crate) words: String,
    /// What the body only borrows.
    pub(crate) borrowed: Vec<Ident>,
    /// Whether the next run may begin before the last one ends.
    pub(crate) overlap: bool,
}

/// How a layer keeps failures from those above it.
pub(crate) struct Hides {
    /// Such as `answers every failure`.
    pub(crate) how: &'static str,
    /// What to change in the attribute instead of its place.
    pub(crate) or: &'static str,
}

pub(crate) struct Limit {
    pub(crate) time: Duration,
    pub(crate) at: TokenStream,
}

/// Variables of the function, by the index of their binding.
#[derive(Clone, Default)]
pub(crate) struct Uses {
    pub(crate) bindings: Vec<usize>,
    pub(crate) receiver: bool,
}

impl Uses {
    pub(crate) fn add(&mut self, other: &Self) {
        self.receiver |= other.receiver;
        for binding in &other.bindings {
            if !self.bindings.contains(binding) {
                self.bindings.push(*binding);
            }
        }
    }

    pub(crate) fn contains(&self, binding: usize) -> bool {
        self.bindings.contains(&binding)
    }
}

/// One attribute at its place in the stack.
pub(crate) struct Layer {
    /// The attribute.
    pub(crate) kind: &'static Kind,
    /// The kind of policy, which is another one in the stack that `#[resilient]` stands for.
    pub(crate) part: &'static Kind,
    pub(crate) span: Span,
    pub(crate) name: Option<LitStr>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) policy: Box<dyn Policy>,
}

impl Layer {
    /// Whether it is one of several that an attribute stands for.
    pub(crate) fn is_part(&self) -> bool {
        self.kind.stem != self.part.stem
    }

    /// Whether it is the first of what its attribute stands for.
    pub(crate) fn is_first(&self) -> bool {
        !self.is_part() || self.part.stem == retry::KIND.stem
    }
}

pub(crate) fn kind(stem: &str) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.stem == stem)
}

//! `#[load_shed(name = "…")]`: refuses the least important first when there are too many.

use proc_macro2::{Ident, Span};
use quote::quote;

use crate::lower::{Carries, Level, Scope};
use crate::policy::{Kind, Policy, Twice};
use crate::reader::{Given, OTHER_NAMES, Reader};

pub(crate) static KIND: Kind = Kind {
    stem: "load_shed",
    keys: &[
        "name",
        "priority",
        "mode",
        "algorithm",
        "initial_limit",
        "min_limit",
        "max_limit",
        "queue_time",
        "window",
        "optional_at",
        "normal_at",
        "important_at",
        "critical_at",
        "k",
        "min_calls",
        "enabled",
        "readiness",
        "crate",
    ],
    foreign: &[OTHER_NAMES],
    lone: "`name = \"shop\"`",
    twice: Twice::UnderOtherNames,
    read: |reader| Box::new(LoadShed::read(reader)),
};

/// What only one of the modes goes by.
const CONCURRENCY: [&str; 9] = [
    "algorithm",
    "initial_limit",
    "min_limit",
    "max_limit",
    "queue_time",
    "optional_at",
    "normal_at",
    "important_at",
    "critical_at",
];
const THROTTLE: [&str; 2] = ["k", "min_calls"];

struct LoadShed {
    priority: &'static str,
}

impl LoadShed {
    fn read(reader: &mut Reader<'_>) -> Self {
        reader.required_name("\"shop\"");
        let priority = reader.word("priority", &["critical", "important", "normal", "optional"], false);
        let mode = reader.word("mode", &["concurrency", "throttle", "enforce", "observe"], false);
        limits(reader);
        levels(reader);
        reader.duration("window", Some("nothing would be seen"));
        reader.factor("k", ": fewer calls would get through than are accepted");
        reader.count("min_calls", 1, "");
        of_one_mode(reader, mode);
        reader.readiness();
        Self {
            priority: match priority {
                Some("critical") => "Critical",
                Some("important") => "Important",
                Some("optional") => "Optional",
                _ => "Normal",
            },
        }
    }
}

fn limits(reader: &mut Reader<'_>) {
    reader.word("algorithm", &["gradient", "aimd"], false);
    let initial = reader.count("initial_limit", 1, ": nobody would ever call");
    let min = reader.count("min_limit", 1, ": somebody has to call to find out");
    let max = reader.count("max_limit", 1, ": nobody would ever call");
    let value = |given: &Option<Given<u32>>| given.as_ref().and_then(|given| given.literal).map(f64::from);
    let limits = [("min_limit", value(&min)), ("initial_limit", value(&initial)), ("max_limit", value(&max))];
    rising(reader, limits);
    reader.duration("queue_time", Some("calls always take a little longer now and then"));
}

/// The shares of the limit at which priorities are refused.
fn levels(reader: &mut Reader<'_>) {
    let mut share = |key| (key, reader.ratio(key).and_then(|share| share.literal));
    let levels = [share("optional_at"), share("normal_at"), share("important_at")];
    rising(reader, levels);
    reader.factor("critical_at", ": critical calls are the last to be refused");
}

/// Reports keys that are below one that they must not be below.
fn rising(reader: &mut Reader<'_>, keys: [(&str, Option<f64>); 3]) {
    let said: Vec<_> = keys.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    for ((below, lower), (key, upper)) in said.iter().zip(said.iter().skip(1)) {
        if upper < lower {
            reader.fault(key, &format!("`{key}` ({upper}) is below `{below}` ({lower})"));
        }
    }
}

/// Reports what the chosen mode does not go by.
fn of_one_mode(reader: &mut Reader<'_>, mode: Option<&str>) {
    // An unknown mode is a mistake already.
    if mode.is_none() && reader.meant("mode") {
        return;
    }
    let (idle, needs) = match mode {
        Some("throttle") => (&CONCURRENCY[..], "concurrency"),
        _ => (&THROTTLE[..], "throttle"),
    };
    for key in idle.iter().filter(|key| reader.has(key)).collect::<Vec<_>>() {
        reader.fault(key, &format!("`{key}` has no effect without `mode = \"{needs}\"`"));
    }
}

impl Policy for LoadShed {
    fn registered(&self) -> &'static str {
        "LoadShed"
    }

    fn wrap(&self, scope: &Scope<'_>, inner: Level) -> Level {
        let (p, place, class) = (scope.p(), scope.place(), scope.class());
        let priority = Ident::new(self.priority, Span::mixed_site());
        let level = scope.future(inner);
        level.map_future(
            Carries::Reply,
            |inner| quote!(#p::load_shed(#place, #p::Priority::#priority, #inner, #class)),
        )
    }
}

//! Which functions are watched.

#[cfg(feature = "latency")]
use resilient_settings::{intern, words};

use super::{LATENCY, SPANS};
use crate::configure::{Configure, Origin};
#[cfg(feature = "latency")]
use crate::{configure::ConfigFault, record::functions};

/// Which functions are watched: the part of a configuration that belongs to no policy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    spans: bool,
    latency: bool,
    latency_of: Vec<(&'static str, bool, Origin)>,
}

#[cfg(feature = "trace")]
impl Configure {
    /// Opens a span for each guarded call and, inside it, each attempt. **Default: none.**
    ///
    /// An attempt is a run of the body. The spans are called `resilient.call` and `resilient.attempt`, at `INFO`
    /// under the target `resilient`, with these fields:
    ///
    /// | field | says |
    /// |---|---|
    /// | `otel.name`, `resilience.function` | path of the function, at the call |
    /// | `resilience.attempt` | number of the attempt, from the second on |
    /// | `resilience.outcome` | `ok`, `error`, `rejected`, `timed_out`, `abandoned` (dropped) or `panicked` |
    /// | `error.type` | class of the error, such as `transient` or `circuit_open`; never its text |
    /// | `otel.status_code` | `ERROR`, where there is one |
    ///
    /// The error is classified once more for each of the two. With the feature and without the setting a call
    /// takes 5 ns longer, and the future of a function 72 bytes. A span is entered while the call is polled or
    /// dropped, so what the body opens lies within.
    ///
    /// ```
    /// # fn main() -> Result<(), resilient_runtime::ConfigError> {
    /// resilient_runtime::configure().spans(true).install()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn spans(mut self, on: bool) -> Self {
        self.layers.watch.spans = on;
        self
    }
}

#[cfg(feature = "latency")]
impl Configure {
    /// Measures how long the calls of all guarded functions take. **Default: of none.**
    ///
    /// [`Registry::latency`](crate::Registry::latency) tells it, by how calls ended.
    ///
    /// A call is measured from its first poll to its end. That takes two readings of the clock and a lock
    /// that no other thread waits for, 96 ns where the call itself took 21; with the feature and without the
    /// setting it takes 4 ns, and the future of a function 24 bytes. A function needs 12 kB, and 7 kB more
    /// for each way in which its calls end, if within a second, in each of up to eight stripes that threads
    /// spread over. Calls that last for hours double that, and nothing else grows.
    pub fn latency(mut self, on: bool) -> Self {
        self.layers.watch.latency = on;
        self
    }

    /// Measures the calls of one function, or not, whatever holds for the others.
    ///
    /// `function` is its [path](crate::Function::path): `"shop::quote"`.
    #[track_caller]
    pub fn latency_of(mut self, function: &str, on: bool) -> Self {
        self.layers.watch.latency_of.push((intern(function), on, Origin::code()));
        self
    }
}

impl Settings {
    pub(super) fn watched(&self, path: &str) -> u8 {
        let own = self.latency_of.iter().rev().find(|(of, ..)| *of == path);
        let latency = own.map_or(self.latency, |(_, on, _)| *on);
        (if self.spans { SPANS } else { 0 }) | (if latency { LATENCY } else { 0 })
    }

    /// Functions that there are not.
    #[cfg(feature = "latency")]
    pub(crate) fn faults(&self) -> Vec<ConfigFault> {
        let known = || functions().iter().map(|function| function.path());
        let unknown = self.latency_of.iter().filter(|(of, ..)| !known().any(|path| path == *of));
        let fault = |(of, _, origin): &(&'static str, bool, Origin)| {
            // Whoever forgets the module knows the function.
            let within =
                || known().find(|path| path.strip_suffix(of).is_some_and(|before| before.ends_with("::")));
            let message = match words::nearest(of, known()).or_else(within) {
                Some(known) => format!("no guarded function has this path; did you mean `{known}`?"),
                None => "no guarded function has this path".to_owned(),
            };
            ConfigFault::new(["latency", of], message, origin.clone())
        };
        unknown.map(fault).collect()
    }
}

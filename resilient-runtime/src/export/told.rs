//! Counters as they were last told, so that none is ever told to have fallen.
//!
//! A sum over the breakers of many keys misses one that is forgotten between two looks, and time that is counted
//! stands still or falls under a clock that does.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::{Family, Kind, Sample, Value};

type Labels = Vec<(&'static str, &'static str)>;

#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<HashMap<(&'static str, Labels), Value>>);

impl Told {
    pub(super) fn never_less(&self, families: &mut [Family]) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for family in families.iter_mut().filter(|family| family.kind == Kind::Counter) {
            for Sample { labels, value } in &mut family.samples {
                let last = told.entry((family.name, labels.clone())).or_insert_with(|| value.clone());
                value.raise_to(last);
                last.clone_from(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Unit;
    use super::*;

    #[test]
    fn a_counter_never_falls_and_a_gauge_does() {
        let told = Told::default();
        let tell = |kind, value| {
            let sample = Sample { labels: vec![("name", "stock")], value };
            let mut family =
                [Family { name: "calls", help: "", kind, unit: Unit::Count, samples: vec![sample] }];
            told.never_less(&mut family);
            family[0].samples[0].value.clone()
        };
        let counted = [3, 2, 4].map(|n| tell(Kind::Counter, Value::Whole(n)));
        assert_eq!(counted, [3, 3, 4].map(Value::Whole));
        let measured = [3, 2, 4].map(|n| tell(Kind::Gauge, Value::Whole(n)));
        assert_eq!(measured, [3, 2, 4].map(Value::Whole));
    }
}

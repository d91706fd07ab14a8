//! What was measured, as tables of a page.

use crate::harness::Measured;
use crate::memory::Bytes;
use crate::windows::{FEW, MANY};

/// What eight tasks on two workers reached.
pub struct Shared {
    pub path: &'static str,
    pub name: &'static str,
    /// Calls in a microsecond.
    pub rate: f64,
    /// Batches that count.
    pub batches: usize,
}

pub struct Run {
    pub measured: Vec<Measured>,
    pub crowds: Vec<Shared>,
    pub windows: Vec<(&'static str, [f64; 2])>,
    pub futures: Vec<(&'static str, usize)>,
    pub breakers: Vec<Bytes>,
}

pub fn calls(measured: &[Measured]) {
    println!("\n| path | case | min ns | median ns | two threads, Mops/s | allocations |");
    println!("|---|---|---:|---:|---:|---:|");
    for Measured { path, name, min, median, allocations, two } in measured {
        let two = two.map_or_else(String::new, |(rate, batches)| format!("{rate:.1} ({batches})"));
        println!("| {path} | {name} | {min:.1} | {median:.1} | {two} | {allocations:.1} |");
    }
}

pub fn crowds(rates: &[Shared]) {
    println!("\n| path | case | Mops/s |\n|---|---|---:|");
    for Shared { path, name, rate, batches } in rates {
        println!("| {path} | {name} | {rate:.2} ({batches}) |");
    }
}

pub fn print(run: &Run) {
    calls(&run.measured);
    crowds(&run.crowds);
    println!("\n| time window of 10 s | ns with {FEW} calls in it | with {MANY} |\n|---|---:|---:|");
    for (name, [few, many]) in &run.windows {
        println!("| {name} | {few:.1} | {many:.1} |");
    }
    println!("\n| breaker | bytes, fresh | of them inline | after 10 000 calls | for each further thread |");
    println!("|---|---:|---:|---:|---:|");
    for Bytes { name, inline, fresh, after_ten_thousand_calls, per_further_thread } in &run.breakers {
        println!("| {name} | {fresh} | {inline} | {after_ten_thousand_calls} | {per_further_thread} |");
    }
}

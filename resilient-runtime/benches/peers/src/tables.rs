//! What was measured, as tables of a page.

use crate::harness::Measured;
use crate::memory::Bytes;
use crate::windows::{FEW, MANY};

pub struct Run {
    pub measured: Vec<Measured>,
    /// Path, case, median calls in a microsecond.
    pub crowds: Vec<(&'static str, &'static str, f64)>,
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

pub fn print(run: &Run) {
    calls(&run.measured);
    println!("\n| path | case | Mops/s |\n|---|---|---:|");
    for (path, name, rate) in &run.crowds {
        println!("| {path} | {name} | {rate:.2} |");
    }
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

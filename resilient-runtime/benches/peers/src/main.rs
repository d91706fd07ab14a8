//! Prints what a guarded call costs through the attributes and through their peers.

mod bodies;
mod breakers;
mod bulkheads;
mod crowds;
mod goals;
mod harness;
mod limits;
mod memory;
mod ours;
mod peers;
mod retries;
mod stacks;
mod tables;
mod timeouts;
mod windows;

use std::hint::black_box;

use bodies::Answer;
use harness::Case;

const DIRECT: &str = "the measure itself";

fn cases() -> Vec<Case> {
    let empty = Case {
        path: DIRECT,
        name: "empty loop",
        run: Box::new(|calls| (0..calls).for_each(|n| drop(black_box(Answer::Ok(n))))),
        two: true,
    };
    let direct = Case { path: DIRECT, name: "direct", run: calls!(n => bodies::work(n)), two: true };
    let rows = [
        breakers::cases(),
        retries::cases(),
        timeouts::cases(),
        stacks::cases(),
        bulkheads::cases(),
        limits::cases(),
    ];
    [empty, direct].into_iter().chain(rows.into_iter().flatten()).collect()
}

fn main() {
    let _entered = harness::ONE.enter();
    let mut cases = cases();
    let asked: Vec<String> = std::env::args().skip(1).collect();
    match asked.as_slice() {
        [] => everything(&cases),
        [path] => {
            cases.retain(|case| case.path.starts_with(path.as_str()));
            tables::calls(&harness::measure(&cases));
            tables::crowds(&crowds(path));
        }
        [path, name, calls] => {
            let case = cases.iter().find(|case| case.path == path && case.name == name);
            let calls = calls.parse().expect("a number of calls");
            (case.expect("a path and a case as the table writes them").run)(calls);
        }
        _ => panic!("nothing, a path, or a path, a case and a number of calls"),
    }
}

/// Of the paths that begin so.
fn crowds(path: &str) -> Vec<tables::Shared> {
    let two = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build();
    let two = two.expect("a runtime with two workers");
    let _entered = two.enter();
    let mut crowds = crowds::crowds();
    crowds.retain(|crowd| crowd.path.starts_with(path));
    let rates = harness::crowds(&two, &crowds);
    crowds
        .iter()
        .zip(rates)
        .map(|(crowd, (rate, batches))| tables::Shared { path: crowd.path, name: crowd.name, rate, batches })
        .collect()
}

fn everything(cases: &[Case]) {
    let run = tables::Run {
        measured: harness::measure(cases),
        crowds: crowds(""),
        windows: windows::measure(),
        futures: ours::sizes(),
        breakers: memory::breakers(),
    };
    goals::print(&run);
    tables::print(&run);
}

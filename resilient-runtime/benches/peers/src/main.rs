//! Prints what a guarded call costs through the attributes and through their peers.

mod cases;
mod harness;

fn main() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime with a timer");
    let _entered = runtime.enter();
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if let [row, name, calls] = asked.as_slice() {
        return harness::one(&mut cases::single(), row, name, calls.parse().expect("a number of calls"));
    }
    harness::single(&mut cases::single());
    harness::pairs(&cases::pairs());
    cases::sizes();
}

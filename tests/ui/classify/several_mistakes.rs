use resilient_runtime::Classify;

use std::time::Duration;

#[derive(Classify)]
enum PaymentError {
    #[transient]
    #[ignored]
    Unreachable,
    #[throttled(after = wait)]
    Busy(Duration),
    #[transparent]
    Declined,
}

fn main() {}

use resilient_runtime::Classify;

use std::time::Duration;

#[derive(Classify)]
enum PaymentError {
    #[throttled(after = 1)]
    Busy(Duration),
}

fn main() {}

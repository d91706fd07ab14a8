use resilient_runtime::Classify;

use std::time::Duration;

#[derive(Classify)]
enum PaymentError {
    #[throttled(retry_after)]
    Busy { retry_after: Duration },
}

fn main() {}

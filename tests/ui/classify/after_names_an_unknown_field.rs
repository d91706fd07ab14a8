use resilient_runtime::Classify;

use std::time::Duration;

#[derive(Classify)]
enum PaymentError {
    #[throttled(after = retry_aftr)]
    Busy { retry_after: Duration },
}

fn main() {}

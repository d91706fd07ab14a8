use resilient_runtime::Classify;

use std::time::Duration;

#[derive(Classify)]
enum PaymentError {
    #[throttled(delay = wait)]
    Busy { wait: Duration },
    #[throttled(aftr = wait)]
    Slow { wait: Duration },
}

fn main() {}

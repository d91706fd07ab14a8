use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    #[throttled(after)]
    Busy,
}

fn main() {}

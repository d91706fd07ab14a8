use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    #[throttled(after = seconds)]
    Busy { seconds: u64 },
}

fn main() {}

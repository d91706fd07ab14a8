use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    #[throttled(after = "5s")]
    Busy,
}

fn main() {}

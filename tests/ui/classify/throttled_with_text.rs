use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    #[throttled("5s")]
    Busy,
}

fn main() {}

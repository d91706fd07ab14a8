use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    #[throttled()]
    Busy,
}

fn main() {}

use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    #[throttled(after = wait)]
    Busy,
}

fn main() {}

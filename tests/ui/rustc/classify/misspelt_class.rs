use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    #[transiet]
    Unreachable,
}

fn main() {}

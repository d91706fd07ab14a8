use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    #[transient]
    #[permanent]
    Unreachable,
}

fn main() {}

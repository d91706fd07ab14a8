use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    #[transient(always)]
    Unreachable,
    #[permanent = true]
    Declined,
}

fn main() {}

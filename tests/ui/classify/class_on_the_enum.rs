use resilient_runtime::Classify;

#[derive(Classify)]
#[transient]
enum PaymentError {
    Unreachable,
    Declined,
}

fn main() {}

use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    #[classify(transient)]
    Unreachable,
}

fn main() {}

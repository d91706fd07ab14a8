use resilient_runtime::Classify;

#[derive(Classify)]
#[classify(crate)]
enum PaymentError {
    Declined,
}

fn main() {}

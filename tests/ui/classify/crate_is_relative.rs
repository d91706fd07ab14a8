use resilient_runtime::Classify;

#[derive(Classify)]
#[classify(crate = resilient)]
enum PaymentError {
    Declined,
}

fn main() {}

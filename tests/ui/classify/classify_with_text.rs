use resilient_runtime::Classify;

#[derive(Classify)]
#[classify("resilient_runtime")]
enum PaymentError {
    Declined,
}

fn main() {}

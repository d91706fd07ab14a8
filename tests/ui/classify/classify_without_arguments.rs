use resilient_runtime::Classify;

#[derive(Classify)]
#[classify]
enum PaymentError {
    Declined,
}

fn main() {}

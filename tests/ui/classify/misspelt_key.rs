use resilient_runtime::Classify;

#[derive(Classify)]
#[classify(krate = ::resilient_runtime)]
enum PaymentError {
    Declined,
}

fn main() {}

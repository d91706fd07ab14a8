use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    #[classify(crate = ::resilient_runtime)]
    Declined,
}

fn main() {}

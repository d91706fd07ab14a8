use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    Unreachable(#[transparent] std::io::Error),
}

fn main() {}

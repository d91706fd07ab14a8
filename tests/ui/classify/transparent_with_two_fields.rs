use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    #[transparent]
    Network(std::io::Error, String),
}

fn main() {}

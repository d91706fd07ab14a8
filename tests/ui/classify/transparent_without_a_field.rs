use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    #[transparent]
    Declined,
}

fn main() {}

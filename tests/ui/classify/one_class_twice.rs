use resilient_runtime::Classify;

#[derive(Classify)]
enum PaymentError {
    #[ignored]
    #[ignored]
    Cancelled,
}

fn main() {}

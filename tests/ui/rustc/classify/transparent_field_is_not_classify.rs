use resilient_runtime::Classify;

struct Inner;

#[derive(Classify)]
enum PaymentError {
    #[transparent]
    Inner(Inner),
}

fn main() {}

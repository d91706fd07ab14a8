use resilient_runtime::health_check;

type Answer = std::num::NonZeroU32;

#[health_check(name = "database")]
async fn database() -> Answer {
    Answer::MIN
}

fn main() {}

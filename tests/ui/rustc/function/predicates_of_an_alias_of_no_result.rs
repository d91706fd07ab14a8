use resilient_runtime::{circuit_breaker, fallback, retry};

type Page = Option<String>;

#[retry(when = |_| true)]
async fn retried(path: &str) -> Page {
    Some(path.to_owned())
}

#[circuit_breaker(name = "disk", failure_when = |result| result.is_err())]
async fn guarded(path: &str) -> Page {
    Some(path.to_owned())
}

#[fallback(value = String::new(), when = |_| true)]
async fn covered(path: &str) -> Page {
    Some(path.to_owned())
}

fn main() {}

use resilient_runtime::retry;

#[retry]
async fn log(line: &str) {
    println!("{line}");
}

fn main() {}

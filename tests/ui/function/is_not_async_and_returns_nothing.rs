use resilient_runtime::timeout;

#[timeout("1s")]
fn log(line: &str) {
    println!("{line}");
}

fn main() {}

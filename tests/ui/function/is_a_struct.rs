use resilient_runtime::timeout;

#[timeout("1s")]
struct Disk {
    root: String,
}

fn main() {}

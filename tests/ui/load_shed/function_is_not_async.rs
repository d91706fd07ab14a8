use resilient_runtime::load_shed;

#[load_shed(name = "shop")]
fn load(path: &str) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

fn main() {}

use resilient_runtime::{configure, include_config};

fn main() {
    configure().embedded(include_config!("latin.toml")).install().unwrap();
}

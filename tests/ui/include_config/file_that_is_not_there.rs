use resilient_runtime::{configure, include_config};

fn main() {
    configure().embedded(include_config!("wrnog.toml")).install().unwrap();
    configure().embedded(include_config!("config/resilient.toml")).install().unwrap();
}

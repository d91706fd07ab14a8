use resilient_runtime::{configure, include_config};

const PATH: &str = "resilient.toml";

fn main() {
    configure().embedded(include_config!(PATH)).install().unwrap();
    configure().embedded(include_config!()).install().unwrap();
    configure().embedded(include_config!("")).install().unwrap();
    configure().embedded(include_config!("a.toml", "b.toml")).install().unwrap();
}

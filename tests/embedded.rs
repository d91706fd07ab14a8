//! `include_config!`: a file that is a part of the program.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;

use resilient_runtime::{EmbeddedConfig, Fault, configure, include_config, resilient};

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
}

#[resilient("embedded")]
async fn quote() -> Result<u32, Fault<&'static str>> {
    RUNS.set(RUNS.get() + 1);
    Err(Fault::Failed("down"))
}

const SHOP: EmbeddedConfig = include_config!("tests/embedded/shop.toml");

#[tokio::test(start_paused = true)]
async fn a_file_in_the_program_is_a_layer_like_any_other() {
    configure().embedded(SHOP).install().unwrap();
    quote().await.unwrap_err();
    assert_eq!(RUNS.take(), 4);
    configure().embedded(SHOP).retry("embedded", |r| r.max(2)).install().unwrap();
    quote().await.unwrap_err();
    assert_eq!(RUNS.take(), 2, "the later layer is stronger");
}

#[test]
fn it_keeps_the_path_as_it_was_written() {
    assert_eq!(SHOP.name(), "tests/embedded/shop.toml");
    assert!(SHOP.text().contains("max = 4"));
}

/// What the compiler has read is what cargo looks at for changes; it stands beside the program.
#[test]
fn a_change_of_the_file_compiles_the_program_again() {
    let read = std::env::current_exe().unwrap().with_extension("d");
    let read = std::fs::read_to_string(read).unwrap();
    assert!(read.contains("tests/embedded/shop.toml"), "{read}");
}

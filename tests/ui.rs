//! What the compiler tells a user about a mistake in an attribute.
//!
//! `TRYBUILD=overwrite cargo test --test ui` rewrites the expected texts. Read each one that
//! changed: it must name the mistake, the place and the fix, and be the only error.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use trybuild::TestCases;

/// Folders whose errors are worded by this project, whatever the compiler's version.
const OURS: [&str; 16] = [
    "bulkhead",
    "cache",
    "circuit_breaker",
    "classify",
    "coalesce",
    "fallback",
    "function",
    "health_check",
    "hedge",
    "include_config",
    "load_shed",
    "rate_limit",
    "resilient",
    "retry",
    "stack",
    "timeout",
];

#[test]
fn mistakes_are_explained() {
    lay_out_files();
    let cases = TestCases::new();
    for folder in OURS {
        cases.compile_fail(format!("tests/ui/{folder}/*.rs"));
    }
    if is_pinned_compiler() {
        cases.compile_fail("tests/ui/rustc/*/*.rs");
    }
}

/// Puts the files that cases embed where the package that trybuild makes of the cases looks for them.
fn lay_out_files() {
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tests/trybuild/resilient-workspace");
    fs::create_dir_all(&package).unwrap();
    for file in fs::read_dir("tests/ui/include_config").unwrap().map(Result::unwrap) {
        if file.path().extension().is_some_and(|end| end == "toml") {
            fs::copy(file.path(), package.join(file.file_name())).unwrap();
        }
    }
}

// Apart from the mistakes: trybuild builds all cases at once only where none has to run.
#[test]
fn unusual_code_compiles() {
    TestCases::new().pass("tests/ui/pass/*.rs");
}

/// Whether the compiler is the one that worded the errors in `ui/rustc`.
fn is_pinned_compiler() -> bool {
    let pinned = include_str!("../rust-toolchain.toml")
        .lines()
        .find_map(|line| line.strip_prefix("channel = "))
        .map(|version| version.trim_matches('"'));
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output();
    let version = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let running = version.as_deref().unwrap_or_default().split(' ').nth(1);
    pinned.is_some() && pinned == running
}

#!/usr/bin/env bash
# What the attributes add to `cargo check` of the crate that uses them.
#
#     scripts/check-time.sh [odd number of rounds]
#     scripts/check-time.sh instructions
#
# Writes crates of 400 functions each: plain, with one layer, with four, with a stack that the
# configuration composes, and with `#[tracing::instrument]` for comparison. The functions are that of
# the README: the shorter a body, the less there is to compare with. Checks each crate with everything
# else warm, each time after the plain one, and fails when the middle of the ratios is above its limit. What
# a check takes moves by a fifth with the caches that the machine's other work leaves, for plain functions
# more than for others; the compiler's instructions do not move, and callgrind counts them in a quarter of an
# hour.
set -euo pipefail

functions=400
crates=(plain instrument one four composed)
unit=ms
if [ "${1:-}" = instructions ]; then
    command -v valgrind >/dev/null || { echo 'valgrind is not installed' >&2; exit 2; }
    unit=Minstr
    set -- 1
fi
rounds=${1:-9}
[[ $rounds =~ ^[0-9]*[13579]$ ]] || { echo 'rounds is an odd number' >&2; exit 2; }
declare -A limit=([one]=1.9 [four]=2.8)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Set by hand so that a user's own choice of target, flags or incremental builds changes nothing.
export CARGO_TARGET_DIR=$work/target CARGO_INCREMENTAL=0 RUSTFLAGS= LC_ALL=C

attributes() {
    case $1 in
        instrument) printf '#[tracing::instrument]\n' ;;
        composed) printf '#[resilient("stack_%d")]\n' "$2" ;;
        one) printf '#[retry(max = 3)]\n' ;;
        four)
            printf '#[fallback(value = String::from("%d"))]\n#[retry(max = 3, base = "50ms")]\n' "$2"
            printf '#[circuit_breaker(name = "breaker_%d", failure_threshold = 5)]\n#[timeout("2s")]\n' "$2"
            ;;
    esac
}

write_crate() {
    local kind=$1 crate=$work/$1 n
    mkdir -p "$crate/src"
    cat >"$crate/Cargo.toml" <<TOML
[package]
name = "$kind"
version = "0.0.0"
edition = "2024"

[dependencies]
resilient-runtime = { path = "$root/resilient-runtime" }
tokio = { version = "1", features = ["io-util", "net"] }
tracing = "0.1"
TOML
    {
        cat <<'RUST'
#![allow(unused_imports)]
use std::io;

use resilient_runtime::{circuit_breaker, fallback, resilient, retry, timeout};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
RUST
        for ((n = 0; n < functions; n++)); do
            attributes "$kind" "$n"
            cat <<RUST
pub async fn price_$n(sku: &str) -> io::Result<String> {
    let mut prices = TcpStream::connect("prices-$n.internal:7000").await?;
    prices.write_all(sku.as_bytes()).await?;
    let mut price = String::new();
    prices.read_to_string(&mut price).await?;
    Ok(price)
}
RUST
        done
    } >"$crate/src/lib.rs"
}

check() {
    touch "$work/$1/src/lib.rs"
    cargo check --quiet --manifest-path "$work/Cargo.toml" -p "$1"
}

# Milliseconds of processor time that one check takes: the same as by the clock on an idle machine.
measure() {
    local TIMEFORMAT='%U %S'
    { time check "$1" 2>&3; } 3>&2 2>&1 | awk '{ printf "%d\n", ($1 + $2) * 1000 }'
}

# Millions of instructions of one check.
count() {
    RUSTC_WORKSPACE_WRAPPER=$work/counted check "$1" 2>&1 |
        awk '/Collected/ { count = $NF } END { printf "%d\n", count / 1000000 }'
}

take() {
    if [ "$unit" = ms ]; then measure "$1"; else count "$1"; fi
}

printf '[workspace]\nmembers = ["*"]\nexclude = ["target"]\nresolver = "3"\n' >"$work/Cargo.toml"
cp "$root/Cargo.lock" "$root/rust-toolchain.toml" "$work/"
cd "$work"
for kind in "${crates[@]}"; do write_crate "$kind"; done
printf '#!/bin/sh\nexec valgrind --tool=callgrind --trace-children=yes --callgrind-out-file=/dev/null "$@"\n' >counted
chmod +x counted
for kind in "${crates[@]}"; do check "$kind"; done

# A slow spell of the machine hits both of a pair.
for ((round = 0; round < rounds; round++)); do
    for kind in "${crates[@]:1}"; do
        plain=$(take plain)
        taken=$(take "$kind")
        awk -v p="$plain" -v t="$taken" 'BEGIN { printf "%.2f %d %d\n", t / p, p, t }' >>"$work/$kind.taken"
    done
done

failed=0
for kind in "${crates[@]:1}"; do
    read -r ratio plain taken < <(sort -n "$work/$kind.taken" | sed -n "$((rounds / 2 + 1))p")
    printf '%-12s %6d %s, plain %6d %s: %5s times%s\n' "$kind" "$taken" "$unit" "$plain" "$unit" "$ratio" \
        "${limit[$kind]:+, at most ${limit[$kind]}}"
    if awk -v r="$ratio" -v l="${limit[$kind]:-$ratio}" 'BEGIN { exit !(r > l) }'; then failed=1; fi
done
exit "$failed"

#!/usr/bin/env bash
# What the attributes add to `cargo check` of the crate that uses them.
#
#     scripts/check-time.sh [rounds]
#
# Writes three crates of 400 functions each: plain, with one layer, with four. Checks each in turn
# with everything else warm, takes medians, and fails when a ratio is above its limit.
set -euo pipefail

functions=400
rounds=${1:-9}
declare -A limit=([one]=1.9 [four]=2.8)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Set by hand so that a user's own choice of target, flags or incremental builds changes nothing.
export CARGO_TARGET_DIR=$work/target CARGO_INCREMENTAL=0 RUSTFLAGS=

attributes() {
    case $1 in
        one) printf '#[retry(max = 3)]\n' ;;
        four)
            printf '#[fallback(value = %d)]\n#[retry(max = 3, base = "50ms")]\n' "$2"
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
TOML
    {
        cat <<'RUST'
#![allow(unused_imports)]
use resilient_runtime::{Fault, circuit_breaker, fallback, retry, timeout};

pub async fn fetch(id: u64) -> Result<u64, Fault<()>> {
    Ok(id)
}
RUST
        for ((n = 0; n < functions; n++)); do
            attributes "$kind" "$n"
            cat <<RUST
pub async fn call_$n(id: u64) -> Result<u64, Fault<()>> {
    let first = fetch(id).await?;
    let second = fetch(first + $n).await?;
    first.checked_add(second).ok_or(Fault::Failed(()))
}
RUST
        done
    } >"$crate/src/lib.rs"
}

check() {
    touch "$work/$1/src/lib.rs"
    cargo check --quiet --manifest-path "$work/Cargo.toml" -p "$1"
}

# Milliseconds of processor time that one check takes: the same as by the clock on an idle machine,
# and still true on a busy one.
measure() {
    local TIMEFORMAT='%U %S'
    { time check "$1" 2>&3; } 3>&2 2>&1 | awk '{ printf "%d\n", ($1 + $2) * 1000 }'
}

median() {
    sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}

printf '[workspace]\nmembers = ["plain", "one", "four"]\nresolver = "3"\n' >"$work/Cargo.toml"
cp "$root/Cargo.lock" "$root/rust-toolchain.toml" "$work/"
cd "$work"
for kind in plain one four; do write_crate "$kind"; done
for kind in plain one four; do check "$kind"; done

# Interleaved, so that a slow moment of the machine hits all three.
for ((round = 0; round < rounds; round++)); do
    for kind in plain one four; do
        measure "$kind" >>"$work/$kind.ms"
    done
done

plain=$(median <"$work/plain.ms")
printf '%-12s %6d ms\n' plain "$plain"
failed=0
for kind in one four; do
    ms=$(median <"$work/$kind.ms")
    ratio=$(awk -v a="$ms" -v b="$plain" 'BEGIN { printf "%.2f", a / b }')
    printf '%-12s %6d ms  %5s times plain, at most %s\n' "$kind" "$ms" "$ratio" "${limit[$kind]}"
    if awk -v r="$ratio" -v l="${limit[$kind]}" 'BEGIN { exit !(r > l) }'; then failed=1; fi
done
exit "$failed"

#!/usr/bin/env bash
# What the attributes add to `cargo check` of the crate that uses them.
#
#     scripts/check-time.sh [rounds]
#
# Writes crates of 400 functions each: plain, with one layer, with four, and with
# `#[tracing::instrument]`. Checks each in turn with everything else warm, takes medians, and fails
# when a ratio is above its limit.
#
# The longer a function, the smaller the ratios. The limits were set where `#[instrument]` costs 2.36
# times plain, so the functions here are of that size: it is measured beside them to show that.
set -euo pipefail

functions=400
rounds=${1:-9}
kinds=(plain one four instrument)
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
            printf '#[fallback(value = Receipt { id: %d, cents: 0 })]\n#[retry(max = 3, base = "50ms")]\n' "$2"
            printf '#[circuit_breaker(name = "breaker_%d", failure_threshold = 5)]\n#[timeout("2s")]\n' "$2"
            ;;
        instrument) printf '#[tracing::instrument(skip(client))]\n' ;;
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
reqwest = { version = "*", default-features = false, features = ["json"] }
resilient-runtime = { path = "$root/resilient-runtime" }
serde = { version = "*", features = ["derive"] }
tracing = "*"
TOML
    {
        cat <<'RUST'
#![allow(unused_imports)]
use reqwest::{Client, StatusCode};
use resilient_runtime::{Rejected, circuit_breaker, fallback, retry, timeout};

#[derive(Clone, Debug, serde::Serialize)]
pub struct Order {
    pub token: String,
    pub sku: String,
    pub cents: u64,
}

#[derive(Clone, Debug, serde::Deserialize)]
pub struct Receipt {
    pub id: u64,
    pub cents: u64,
}

#[derive(Debug)]
pub enum Failure {
    Busy,
    Http(reqwest::Error),
    Refused(StatusCode),
    Rejected(Rejected),
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error)
    }
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}
RUST
        for ((n = 0; n < functions; n++)); do
            attributes "$kind" "$n"
            cat <<RUST
pub async fn charge_$n(client: &Client, order: &Order) -> Result<Receipt, Failure> {
    let url = format!("http://shop.example/$n/charges/{}", order.sku);
    let response = client.post(url).bearer_auth(&order.token).json(order).send().await?;
    match response.status() {
        StatusCode::SERVICE_UNAVAILABLE => Err(Failure::Busy),
        status if status.is_client_error() => Err(Failure::Refused(status)),
        _ => Ok(response.error_for_status()?.json().await?),
    }
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

printf '[workspace]\nmembers = ["*"]\nexclude = ["target"]\nresolver = "3"\n' >"$work/Cargo.toml"
cp "$root/Cargo.lock" "$root/rust-toolchain.toml" "$work/"
cd "$work"
for kind in "${kinds[@]}"; do write_crate "$kind"; done
for kind in "${kinds[@]}"; do check "$kind"; done

# Interleaved, so that a slow moment of the machine hits all of them.
for ((round = 0; round < rounds; round++)); do
    for kind in "${kinds[@]}"; do
        measure "$kind" >>"$work/$kind.ms"
    done
done

plain=$(median <"$work/plain.ms")
printf '%-12s %6d ms\n' plain "$plain"
failed=0
for kind in "${kinds[@]:1}"; do
    ms=$(median <"$work/$kind.ms")
    ratio=$(awk -v a="$ms" -v b="$plain" 'BEGIN { printf "%.2f", a / b }')
    most=${limit[$kind]:-}
    printf '%-12s %6d ms  %5s times plain%s\n' "$kind" "$ms" "$ratio" "${most:+, at most $most}"
    if awk -v r="$ratio" -v l="${most:-$ratio}" 'BEGIN { exit !(r > l) }'; then failed=1; fi
done
exit "$failed"

#!/usr/bin/env bash
# What the attributes add to `cargo check` of the crate that uses them.
#
#     scripts/check-time.sh [rounds]
#
# Writes three crates of 400 functions each: plain, with one layer, with four. The functions are those
# the attributes are for: they call a service, tell its answers apart and decode them, as the storefront
# example does. Checks each crate in turn with everything else warm, takes medians, and fails when a
# ratio is above its limit. What a layer adds hardly depends on the body, so that the ratio of a body of
# one line is higher, and that of a page lower.
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
            printf '#[fallback(value = Receipt { id: %d })]\n#[retry(max = 3, base = "50ms")]\n' "$2"
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
reqwest = { version = "0.13", default-features = false, features = ["json"] }
resilient-runtime = { path = "$root/resilient-runtime" }
serde = { version = "1", features = ["derive"] }
TOML
    {
        cat <<'RUST'
#![allow(unused_imports)]
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, StatusCode};
use resilient_runtime::{Rejected, circuit_breaker, fallback, retry, timeout};

#[derive(Debug, serde::Serialize)]
pub struct Order {
    pub token: String,
    pub sku: String,
    pub cents: u64,
}

#[derive(Debug, serde::Deserialize)]
pub struct Receipt {
    pub id: u64,
}

#[derive(Debug)]
pub enum PaymentError {
    Busy { retry_after: Option<Duration> },
    Refused(StatusCode),
    Unreachable(reqwest::Error),
    Rejected(Rejected),
}

impl From<reqwest::Error> for PaymentError {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(error)
    }
}

impl From<Rejected> for PaymentError {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
RUST
        for ((n = 0; n < functions; n++)); do
            attributes "$kind" "$n"
            cat <<RUST
pub async fn charge_$n(client: &Client, order: &Order) -> Result<Receipt, PaymentError> {
    let url = format!("http://shop.example/$n/charges/{}", order.sku);
    let response = client.post(url).bearer_auth(&order.token).json(order).send().await?;
    match response.status() {
        StatusCode::SERVICE_UNAVAILABLE => {
            Err(PaymentError::Busy { retry_after: retry_after(response.headers()) })
        }
        status if status.is_client_error() => Err(PaymentError::Refused(status)),
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

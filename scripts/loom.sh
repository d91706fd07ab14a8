#!/bin/sh
# Runs the models of what threads share, in every order within two preemptions.
# LOOM_MAX_PREEMPTIONS changes the bound; an argument selects models by name.
set -eu
cd "$(dirname "$0")/.."
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}/loom" RUSTFLAGS="--cfg resilient_loom" exec timeout 1800 \
    cargo test --quiet -p resilient-runtime --lib \
    --config 'profile.dev.package.loom.opt-level=3' --config 'profile.dev.package.generator.opt-level=3' \
    -- --nocapture "races::${1:-}"

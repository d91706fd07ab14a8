#!/bin/sh
# Breaks the machine, its windows, the budget and the backoff, one place after the other: each has to
# fail a test. `mutants.toml` lists, with the reason, what no test can notice.
#
# Needs cargo-mutants. Arguments are passed on: `-f` selects files, `--iterate` goes on.
set -eu
cd "$(dirname "$0")/.."
PROPTEST_CASES="${PROPTEST_CASES:-2000}" exec cargo mutants -p resilient-runtime \
    --config scripts/mutants.toml "$@"

#!/bin/sh
# Breaks the machine, its windows, the budget and the backoff, one place after the other: each has to
# fail a test. `mutants.toml` lists, with the reason, what no test can notice.
#
# Needs cargo-mutants. Arguments are passed on: `-f` selects files, `--iterate` goes on.
set -eu
cd "$(dirname "$0")/.."
# A random case that fails is enough: nobody reads the smallest.
export PROPTEST_CASES="${PROPTEST_CASES:-2000}" PROPTEST_MAX_SHRINK_ITERS=0

mutants() {
    status=0
    cargo mutants "$@" || status=$?
    # 3 is a test that hangs, which is how those that hold a lock while others go past it notice.
    [ "$status" -eq 0 ] || [ "$status" -eq 3 ]
}

mutants -p resilient-runtime --config scripts/mutants.toml "$@"
if [ "$#" -eq 0 ]; then
    # Bits that do not overlap.
    mutants -p resilient-settings --no-config -f resilient-settings/src/backoff.rs \
        --exclude-re 'replace \| with \^ in Previous::of'
fi

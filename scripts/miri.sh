#!/bin/sh
# Interprets what is plain arithmetic, and the words and counters that threads share, under Miri.
#
# Needs a nightly with Miri and the standard library's source.
set -eu
cd "$(dirname "$0")/.."
# Tests leak policies, which live as long as the program.
export PROPTEST_CASES="${PROPTEST_CASES:-20}" MIRIFLAGS='-Zmiri-disable-isolation -Zmiri-ignore-leaks'
cargo +nightly miri test -p resilient-settings --lib -- backoff
cargo +nightly miri test -p resilient-runtime --lib -- \
    arrows budget engine gcra heeding interventions limits pure tally window

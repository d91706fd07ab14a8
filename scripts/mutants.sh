#!/bin/sh
# Breaks the machine, its windows, the budget and the backoff, one place after the other: each has to
# fail a test. The files in `mutants` list, with the reason, what no test can notice.
#
#     scripts/mutants.sh [runtime|settings] [argument of cargo-mutants ...]
#
# Needs cargo-mutants, whose `-F` selects by name and `--iterate` goes on.
set -eu
cd "$(dirname "$0")/.."
# A random case that fails is enough: nobody reads the smallest.
export PROPTEST_CASES="${PROPTEST_CASES:-2000}" PROPTEST_MAX_SHRINK_ITERS=0
failed=0

mutants() {
    of=$1
    shift
    out=target/mutants/$of
    mkdir -p "$out"
    status=0
    cargo mutants -p "resilient-$of" --config "scripts/mutants/$of.toml" --output "$out" "$@" || status=$?
    # 3 is a test that never ends, for what is broken can loop. It hides that others were missed.
    if [ "$status" -ne 0 ] && { [ "$status" -ne 3 ] || [ -s "$out/mutants.out/missed.txt" ]; }; then
        failed=1
    fi
}

case ${1:-} in
runtime | settings) mutants "$@" ;;
*)
    mutants runtime "$@"
    mutants settings "$@"
    ;;
esac
exit "$failed"

#!/bin/bash
# SPDX-License-Identifier: MIT
# Stage `fuzz` of run_tests.sh: stage.sh WORK SECONDS. Builds the targets in WORK/fuzz from WORK/src and runs each for SECONDS.
# Prints "passed TARGET" or "failed TARGET" for each; their output goes to WORK/log/fuzz-TARGET.log.
set -euo pipefail
work=$1
seconds=$2
targets=(answers decode entry replies request settings stored told)

build() {
    mkdir -p "$work/fuzz" && cd "$work/fuzz" || return
    # The other build has already fetched these.
    [[ -d third-party ]] || cp -a ../obj/third-party . || return
    ../src/configure CC=clang --enable-developer --enable-fuzzers && make fuzz-targets
}

if ! build; then
    printf 'failed %s\n' "${targets[@]}"
    exit 1
fi
cd "$work/fuzz"
code=0
for target in "${targets[@]}"; do
    # From the kept corpus only: a run must not depend on earlier ones.
    rm -rf "fuzz/$target"
    if timeout --foreground -k 10 $((seconds + 60)) ../src/tests/fuzz/run.sh "$target" -max_total_time="$seconds" \
        >"$work/log/fuzz-$target.log" 2>&1; then
        echo "passed $target"
    else
        echo "failed $target"
        tail -n 60 "$work/log/fuzz-$target.log"
        code=1
    fi
done
exit "$code"

#!/bin/bash
# SPDX-License-Identifier: MIT
# Fuzzes one target: run.sh TARGET [option of libFuzzer]..., in the build directory of ./configure CC=clang --enable-fuzzers.
# New inputs go to fuzz/TARGET beside the kept corpus, and inputs that fail to fuzz/TARGET-crash-... or a similar name.
set -euo pipefail
target=$1
shift
kept=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/corpus/$target
mkdir -p "fuzz/$target"
export UBSAN_OPTIONS=print_stacktrace=1
exec "tests/fuzz/$target" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="fuzz/$target-" "$@" "fuzz/$target" "$kept"

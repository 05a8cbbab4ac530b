#!/bin/bash
# SPDX-License-Identifier: MIT
# Fuzzes one target: run.sh TARGET [option of libFuzzer]..., in the build directory of ./configure CC=clang --enable-fuzzers.
# What it finds besides the kept corpus goes to fuzz/TARGET, an input that fails to fuzz/TARGET-crash-... or the like.
set -euo pipefail
target=$1
shift
kept=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/corpus/$target
mkdir -p "fuzz/$target"
export UBSAN_OPTIONS=print_stacktrace=1
exec "tests/fuzz/$target" -max_len=8192 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="fuzz/$target-" "$@" "fuzz/$target" "$kept"

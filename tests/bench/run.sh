#!/bin/bash
# SPDX-License-Identifier: MIT
# make bench: builds as for production in ./build/bench, measures on the loopback interface and writes the tables into
# BENCHMARKS.md. Takes about 40 minutes and needs an otherwise idle machine. Arguments are those of bench.py: run.sh flip
# measures one section.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/common.sh"

work=$root/build/bench
export TFT_BUILD=$work/obj PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8

build_programs() {
    copy_sources "$work" &&
        "$work/src/autogen.sh" &&
        cd "$work/obj" &&
        ../src/configure &&
        make -j2 &&
        make tests/bench/refresh tests/integration/commits
}

install_packages build run bench
mkdir -p "$work/log"
say "Building as for production ..."
log=$work/log/build.log
(build_programs) >"$log" 2>&1 || die "build failed, see $log: $(tail -n 1 "$log")"
exec /usr/bin/python3 "$root/tests/bench/bench.py" --write "$root/BENCHMARKS.md" "$@"

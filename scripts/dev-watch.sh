#!/bin/bash
# SPDX-License-Identifier: MIT
# Service `watch` of start_all.sh --dev: rebuilds whenever a source or an asset changes and replaces the workers one after
# the other, so that no request is lost. A failed build changes nothing. The configuration of nginx is read only at start.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build=${TFT_BUILD:-$root}
program=$build/tft-dashboard
# The source directory of that build.
source=$(cd "$build" && cd "$(sed -n 's/^top_srcdir = //p' Makefile)" && pwd)

# Prints what tells one build of the program from the next.
identity() {
    stat -c '%i %Y' "$program" 2>/dev/null || true
}

rebuild() {
    local before
    before=$(identity)
    say "$(date +%T) building"
    if ! make -C "$build" -j2 tft-dashboard tft-fetch </dev/null; then
        say "$(date +%T) build failed, the old workers keep running"
    elif [[ $(identity) != "$before" ]]; then
        roll_workers
        say "$(date +%T) serving $("$program" --version)"
    fi
}

trap 'trap - TERM; kill 0' TERM
exec 3< <(exec inotifywait -q -m -r -e close_write,moved_to,delete "$source"/{src,include,redis,nginx/static})
say "Watching $source"
while read -r -u 3 _; do
    # An editor or a checkout may change many files at once.
    while read -r -u 3 -t 0.3 _; do :; done
    rebuild
done

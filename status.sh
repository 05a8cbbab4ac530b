#!/bin/bash
# SPDX-License-Identifier: MIT
# Shows what runs in the run directory (TFT_RUN_DIR, default ./run), the state of the upstream and what is cached.
# Exit code 0: everything runs, 3: something does not.
#
#   ./status.sh [--config]
#     --config  print the settings of the running workers instead, each with its source; secrets masked
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/scripts/common.sh"

state=0
redis=(redis-cli -s "$run/redis/redis.sock")

show_services() {
    local name pid
    for name in "${services[@]}"; do
        [[ -e $run/pid/$name ]] || continue
        if pid=$(leader "$name"); then
            printf '%-15s up    pid %-7s since %s\n' "$name" "$pid" "$(ps -o lstart= -p "$pid")"
        else
            printf '%-15s DOWN  log %s\n' "$name" "$run/log/$name.log"
            state=3
        fi
    done
}

show_workers() {
    leader workers >/dev/null || return 0
    printf '%-15s %s\n' 'worker pids' "$(worker_pids)"
}

show_dashboard() {
    local url
    url=$(<"$run/url")
    printf '%-15s %s\n' 'address' "$url"
    printf '%-15s %s\n' 'state' "$(curl -sS -m 5 "${url}api/v1/status" 2>&1)"
}

# Only for the private Redis: another one may have other users.
show_cache() {
    local prefix
    leader redis >/dev/null || return 0
    prefix=$(sed -n 's/^TFT_REDIS_PREFIX=//p' "$run/in-effect" 2>/dev/null || true)
    prefix=${prefix:-tft}
    printf '%-15s %s keys, %s of memory, history of %s points\n' 'cache' \
        "$("${redis[@]}" --scan --pattern "$prefix:*" | wc -l)" \
        "$("${redis[@]}" info memory | sed -n 's/^used_memory_human:\([^\r]*\).*/\1/p')" \
        "$("${redis[@]}" xlen "${prefix}hist:fleet")"
}

# Runs tft-dashboard --print-config in the environment of the workers. That has secrets, so it never appears on a command line.
show_config() {
    local pid pair program
    pid=$(leader workers) || die "no workers are running in $run"
    for pair in $(compgen -e TFT_ || true); do
        unset "$pair"
    done
    while IFS= read -r -d '' pair; do
        [[ $pair != TFT_* ]] || export "${pair?}"
    done <"/proc/$pid/environ"
    program=$(sed -n 's/^program=//p' "$run/in-effect")
    exec "$program" --print-config
}

if [[ ${1:-} == --config ]]; then
    show_config
fi
parse_no_options "$@"
if ! anything_started; then
    say "Nothing is running in $run"
    exit 3
fi
show_services
show_workers
if leader nginx >/dev/null && [[ -e $run/url ]]; then
    show_dashboard
fi
show_cache
exit "$state"

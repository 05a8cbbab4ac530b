#!/bin/bash
# SPDX-License-Identifier: MIT
# Entry point of the image (Containerfile): becomes one service of compose.yaml. All services run as the image's user, log to
# standard error and output, and write only below /srv/tft: one volume for Redis, another one for all other services.
#
#   container.sh redis|workers|nginx|inference|generator|healthy SERVICE
#
# Environment: TFT_WORKERS (6), TFT_DEMO_PORT (where nginx serves the simulated upstream), TFT_DEMO_SERVERS (20), and for
# the workers all variables of tft-dashboard.conf(5)
set -euo pipefail

run=/srv/tft
pass=$run/redis/redis.pass

# render NAME=VALUE...: writes the same configuration as for start_all.sh and the tests.
render() {
    "$(dirname "$0")/render-config.sh" RUN_DIR="$run" ASSETS=/usr/share/tft-dashboard LISTEN='*' PORT=8080 "$@"
}

# The password is made once and kept on the volume that only Redis and the workers have.
redis() {
    [[ -s $pass ]] || (umask 077 && head -c 32 /dev/urandom | sha256sum | cut -c 1-64 | tr -d '\n' >"$pass")
    render REDIS_PASSWORD_SHA256="$(sha256sum <"$pass" | cut -d ' ' -f 1)"
    exec redis-server "$run/etc/redis.conf"
}

workers() {
    exec tft-spawn -f -s "$run/fcgi.sock" -n "${TFT_WORKERS:-6}" start
}

nginx() {
    render DEMO_PORT="${TFT_DEMO_PORT:-}"
    # The workers are in another container.
    [[ -z ${TFT_DEMO_PORT:-} ]] || sed -i 's/listen 127\.0\.0\.1:/listen /' "$run/etc/demo.conf"
    rm -rf "$run/l1" # the copies of an earlier run may be days old
    ln -sf /dev/stderr "$run/log/nginx.log"
    ln -sf /dev/stdout "$run/log/access.log"
    exec nginx -e /dev/stderr -p "$run" -c "$run/etc/nginx.conf"
}

# Both roles of the simulated upstream share a file, one for each size of the fleet.
demo() {
    local servers=${TFT_DEMO_SERVERS:-20}
    exec spawn-fcgi -n -s "$run/demo-$1.sock" -M 0660 -b 1024 -- \
        /usr/sbin/tft-demo-daemon --role "$1" --state "$run/demo-$servers.state" --servers "$servers" --warm
}

# The health check. The first line of a worker's answer shows that it is healthy.
healthy() {
    case $1 in
    redis) [[ $(redis-cli -s "$run/redis/redis.sock" ping) == PONG ]] ;;
    workers)
        env REQUEST_METHOD=GET DOCUMENT_URI=/healthz TFT_END=1 cgi-fcgi -bind -connect "$run/fcgi.sock" </dev/null |
            grep '"status":"pass"' >/dev/null
        ;;
    nginx) curl -fsS -m 5 -o /dev/null http://127.0.0.1:8080/readyz ;;
    *) return 2 ;;
    esac
}

case ${1:-} in
redis | workers | nginx) "$1" ;;
inference | generator) demo "$1" ;;
healthy) healthy "${2:-}" ;;
*)
    sed -n '3,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac

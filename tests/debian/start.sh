#!/bin/bash
# SPDX-License-Identifier: MIT
# Stage `start` of scripts/test-debian.sh, inside the fresh system: the README's first command, and what it has built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# The versions that a report should have.
versions() {
    local package
    for package in gcc autoconf libcurl4-openssl-dev libfcgi-dev libhiredis-dev libinih-dev libjson-c-dev nginx redis-server npm; do
        dpkg-query -W -f '== ${Package} ${Version}\n' "$package"
    done
}

# Each recorded answer with predictions gives a fleet of as many servers as its file's name says. In one answer, a server has no
# predictions.
answers() {
    local file servers shown count=0
    for file in tests/data/payloads/{,*/}predictions_current-{healthy,degrading,critical}*.json.gz; do
        [[ -e $file ]] || continue
        servers=${file##*-}
        servers=${servers%%.*}
        shown=$(./tft-dashboard --render api-fleet --snapshot "$file" | grep -o '{"name":"' | wc -l)
        if ((shown + 1 < servers)); then
            echo "not understood: $file shows $shown"
            return 1
        fi
        count=$((count + 1))
    done
    echo "== $count recorded answers understood"
}

./start_all.sh
./status.sh
curl -fsS "$(<run/url)" | grep '</html>' >/dev/null
./stop_all.sh
versions
answers

#!/bin/bash
# SPDX-License-Identifier: MIT
# Stage `tests` of scripts/test-debian.sh, inside the fresh system: the README's second command.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
code=0

# run COMMAND...: prints its output, and each result again in a line that begins with "== ".
run() {
    "$@" >/tmp/tests 2>&1 || code=1
    cat /tmp/tests
    sed -n -E 's/^[a-z]* +[0-9]+ passed.*|^[0-9]+ passed.*/== &/p' /tmp/tests
}

run ./run_tests.sh
for package in chromium clang python3 python3-selenium; do
    dpkg-query -W -f '== ${Package} ${Version}\n' "$package"
done
if apt-cache show valkey-server >/dev/null 2>&1; then
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends valkey-server
    echo "== with $(valkey-server --version | cut -d ' ' -f 1-3):"
    TFT_TEST_REDIS_SERVER=valkey-server run ./run_tests.sh integration counting
fi
exit "$code"

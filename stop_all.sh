#!/bin/bash
# SPDX-License-Identifier: MIT
# Stops exactly what start_all.sh started in the run directory (TFT_RUN_DIR, default ./run). Safe to call twice.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/scripts/common.sh"

parse_no_options "$@"
if ! anything_started; then
    say "Nothing is running in $run"
    exit 0
fi
stop_services
say "Stopped."

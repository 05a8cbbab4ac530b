#!/bin/bash
# SPDX-License-Identifier: MIT
# Sets up and runs the tests: ./run_tests.sh [STAGE]...; without an argument, all of them. The stages are unit, hygiene, integration,
# browser, of which the last three run at the same time; and counting, fuzz, dist, which do not depend on timing and run in
# parallel to the others, on idle processor time.
# Everything is built in ./build/test from a copy of the sources, so that a build in the source directory is not touched.
# Warnings are errors there, and the address and undefined behaviour sanitizers are on. `dist` builds and checks the release.
# Logs are in ./build/test/log. The last line is "N passed, N failed".
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/scripts/common.sh"

work=$root/build/test
export TFT_BUILD=$work/obj
# Nothing else that is installed or set on this machine may influence the tests.
export PYTHONDONTWRITEBYTECODE=1 PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 LC_ALL=C.UTF-8
unset TFT_RUN_DIR TFT_REDIS TFT_DAEMON_URL TFT_GENERATOR_URL TFT_API_KEY TFT_PORT TFT_LISTEN
passed=0
failed=0

# The result of a stage is in log/STAGE.count, since some stages run in the background.
# count STAGE PASSED FAILED START [REMARK]
count() {
    echo "$2 $3 $((SECONDS - $4)) ${5:-}" >"$work/log/$1.count"
}

# report STAGE: a stage that ended before it could count has failed.
report() {
    local good=0 bad=1 seconds=0 remark=
    read -r good bad seconds remark <"$work/log/$1.count" || true
    passed=$((passed + good))
    failed=$((failed + bad))
    printf '%-12s %4d passed, %d failed, %d s%s\n' "$1" "$good" "$bad" "$seconds" "${remark:+, $remark}"
    [[ $bad -eq 0 ]] || tail -n 60 "$work/log/$1.log"
}

# whole STAGE COMMAND...: a stage that counts as one test.
whole() {
    local stage=$1 start=$SECONDS good=0
    shift
    if "$@" >"$work/log/$stage.log" 2>&1; then
        good=1
    fi
    count "$stage" "$good" $((1 - good)) "$start"
}

build_tests() (
    copy_sources "$work" &&
        "$work/src/autogen.sh" &&
        cd "$work/obj" &&
        ../src/configure --enable-developer --enable-sanitizers --enable-fault-hooks &&
        make -j2
)

# Prints the sum of the numbers that a sed expression finds in files.
sum() {
    local expression=$1
    shift
    { cat "$@" 2>/dev/null || true; } | sed -n "$expression" | awk '{ n += $1 } END { print n + 0 }'
}

# Counts single tests that passed, but programs that failed, because a program that crashes reports no number.
stage_unit() {
    local start=$SECONDS log=$work/log/unit.log code=0 good bad
    rm -f "$work"/obj/tests/unit/*.log
    timeout -k 10 600 make -k -j2 -C "$work/obj" check >"$log" 2>&1 || code=1
    good=$(sum 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$work"/obj/tests/unit/*.log)
    bad=$(sum 's/^# \(FAIL\|ERROR\): *\([0-9]*\)/\2/p' "$log")
    [[ $bad -gt 0 || ($code -eq 0 && $good -gt 0) ]] || bad=1
    [[ $bad -eq 0 ]] || cat "$work"/obj/test-suite.log >>"$log" 2>/dev/null || true
    count unit "$good" "$bad" "$start"
}

# attribute NAME FILE: the number from pytest's JUnit file, whose first element has the totals.
attribute() {
    grep -o " $1=\"[0-9]*\"" "$2" | head -n 1 | tr -dc 0-9
}

# pytest_stage STAGE COMMAND... PATH...: the words before the first path start pytest.
pytest_stage() {
    local stage=$1 start=$SECONDS log=$work/log/$1.log xml=$work/log/$1.xml code=0 total=0 bad=0 skipped=0
    shift
    rm -f "$xml"
    "$@" --junitxml="$xml" >"$log" 2>&1 || code=$? # not in a subshell, which could not end it
    if [[ -e $xml ]]; then
        total=$(attribute tests "$xml")
        skipped=$(attribute skipped "$xml")
        bad=$(($(attribute failures "$xml") + $(attribute errors "$xml")))
    fi
    [[ $code -eq 0 || $bad -gt 0 ]] || bad=1
    ((total >= bad + skipped)) || total=$((bad + skipped))
    count "$stage" $((total - bad - skipped)) "$bad" "$start" "$( ((skipped == 0)) || echo "$skipped skipped")"
}

pytest=(timeout -k 30 2400 /usr/bin/python3 -m pytest -q -ra -p no:cacheprovider)

stage_integration() {
    pytest_stage integration "${pytest[@]}" tests/integration
}

# beside NICENESS COMMAND...: runs it in its own session, so that it can be ended as a whole. The kernel may schedule by sessions,
# so the session has the niceness, too.
beside() {
    # shellcheck disable=SC2016
    setsid sh -c '{ echo "$0" >/proc/self/autogroup; } 2>/dev/null; exec nice -n "$0" "$@"' "$@" &
    child=$!
    wait "$child"
}

# aside COMMAND...: with the lowest priority.
aside() {
    beside 19 chrt --idle 0 "$@"
}

# Neither needs running servers.
stage_hygiene() {
    pytest_stage hygiene beside 10 "${pytest[@]}" tests/hygiene tests/check
}

# A browser needs much processor time at once, for which the tests of integration need not wait.
stage_browser() {
    pytest_stage browser beside 10 "${pytest[@]}" tests/browser
}

stage_counting() {
    pytest_stage counting aside "${pytest[@]}" tests/model tests/counting
}

stage_fuzz() {
    local start=$SECONDS log=$work/log/fuzz.log good bad
    aside "$root/tests/fuzz/stage.sh" "$work" 20 >"$log" 2>&1 || true
    good=$(grep -c '^passed ' "$log" || true)
    bad=$(grep -c '^failed ' "$log" || true)
    ((good + bad > 0)) || bad=1
    count fuzz "$good" "$bad" "$start"
}

stage_dist() {
    whole dist aside make -C "$work/obj" distcheck
}

run_beside() {
    local stage child=
    trap '[[ -z $child ]] || kill -- "-$child"; exit 1' TERM
    for stage in "$@"; do
        "stage_$stage"
    done
}

stages=()  # one after the other
patient=() # beside them
idle=()
[[ $# -gt 0 ]] || set -- unit hygiene integration browser counting fuzz dist
for stage in "$@"; do
    case $stage in
    unit | integration) stages+=("$stage") ;;
    hygiene | browser) patient+=("$stage") ;;
    counting | fuzz | dist) idle+=("$stage") ;;
    -h | --help) usage && exit 0 ;;
    *) die "unknown stage $stage (unit, hygiene, integration, browser, counting, fuzz, dist)" ;;
    esac
done

install_packages build run redis test bench
cd "$root"
mkdir -p "$work/log"
rm -f "$work"/log/*.count
whole build build_tests
report build
if [[ $failed -eq 0 ]]; then
    # First, and not in parallel: `dist` builds in the same directory.
    if [[ ${stages[0]:-} == unit ]]; then
        stage_unit
        report unit
        stages=("${stages[@]:1}")
    fi
    run_beside "${patient[@]}" &
    background=($!)
    run_beside "${idle[@]}" &
    background+=($!)
    trap 'kill "${background[@]}" 2>/dev/null || true' EXIT
    for stage in "${stages[@]}"; do
        "stage_$stage"
        report "$stage"
    done
    wait "${background[@]}" || true
    for stage in "${patient[@]}" "${idle[@]}"; do
        report "$stage"
    done
fi
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]

#!/bin/bash
# SPDX-License-Identifier: MIT
# Sets up and runs the tests: ./run_tests.sh [unit|hygiene|integration|browser|dist]..., all without an argument.
# Everything is built in ./build/test from a copy of the sources, so that a build in the source directory is left
# alone: developer warnings are errors, address and undefined behaviour sanitizers are on. `dist` builds and checks the release.
# Logs are in ./build/test/log. The last line is "N passed, N failed".
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/scripts/common.sh"

work=$root/build/test
export TFT_BUILD=$work/obj
# Whatever else is installed or set on this machine must not take part.
export PYTHONDONTWRITEBYTECODE=1 PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 LC_ALL=C.UTF-8
unset TFT_RUN_DIR TFT_REDIS TFT_DAEMON_URL TFT_GENERATOR_URL TFT_API_KEY TFT_PORT TFT_LISTEN
passed=0
failed=0

# report STAGE PASSED FAILED SECONDS [REMARK]
report() {
    passed=$((passed + $2))
    failed=$((failed + $3))
    printf '%-12s %4d passed, %d failed, %d s%s\n' "$1" "$2" "$3" "$4" "${5:-}"
    [[ $3 -eq 0 ]] || tail -n 60 "$work/log/$1.log"
}

# A copy, because automake refuses a second build directory beside a build in the source directory. Times are kept, so
# the next run compiles only what changed.
copy_sources() {
    rm -rf "$work/src" && mkdir -p "$work"/{src,obj} &&
        tar -C "$root" -c --exclude-vcs --exclude=./build --exclude=./run --exclude=./assets --exclude=./gen --exclude=./third-party \
            --exclude=./Makefile --exclude='./config.*' --exclude=./stamp-h1 --exclude=./autom4te.cache \
            --exclude='*.o' --exclude='*.a' --exclude=.deps --exclude=__pycache__ . |
        tar -C "$work/src" -x
}

build_tests() {
    copy_sources &&
        "$work/src/autogen.sh" &&
        cd "$work/obj" &&
        ../src/configure --enable-developer --enable-sanitizers --enable-fault-hooks &&
        make -j2
}

stage_build() {
    local start=$SECONDS
    if (build_tests) >"$work/log/build.log" 2>&1; then
        report build 1 0 $((SECONDS - start))
        return 0
    fi
    report build 0 1 $((SECONDS - start))
    return 1
}

# The sum of the numbers that a sed expression finds in files.
sum() {
    local expression=$1
    shift
    { cat "$@" 2>/dev/null || true; } | sed -n "$expression" | awk '{ n += $1 } END { print n + 0 }'
}

# Counts single tests that passed, and programs that failed: one that crashed reports no number.
stage_unit() {
    local start=$SECONDS log=$work/log/unit.log code=0 good bad
    rm -f "$work"/obj/tests/unit/*.log
    timeout -k 10 600 make -k -j2 -C "$work/obj" check >"$log" 2>&1 || code=1
    good=$(sum 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$work"/obj/tests/unit/*.log)
    bad=$(sum 's/^# \(FAIL\|ERROR\): *\([0-9]*\)/\2/p' "$log")
    [[ $bad -gt 0 || ($code -eq 0 && $good -gt 0) ]] || bad=1
    [[ $bad -eq 0 ]] || cat "$work"/obj/test-suite.log >>"$log" 2>/dev/null || true
    report unit "$good" "$bad" $((SECONDS - start))
}

# attribute NAME FILE: the number in pytest's JUnit file, whose first element sums up.
attribute() {
    grep -o " $1=\"[0-9]*\"" "$2" | head -n 1 | tr -dc 0-9
}

# stage_pytest NAME
stage_pytest() {
    local start=$SECONDS log=$work/log/$1.log xml=$work/log/$1.xml code=0 total=0 bad=0 skipped=0
    local paths=("tests/$1")
    # The checker's own tests need nothing running either.
    [[ $1 != hygiene ]] || paths+=(tests/check)
    rm -f "$xml"
    (cd "$root" && timeout -k 30 700 /usr/bin/python3 -m pytest -q -ra -p no:cacheprovider --junitxml="$xml" \
        "${paths[@]}") >"$log" 2>&1 || code=$?
    if [[ -e $xml ]]; then
        total=$(attribute tests "$xml")
        skipped=$(attribute skipped "$xml")
        bad=$(($(attribute failures "$xml") + $(attribute errors "$xml")))
    fi
    [[ $code -eq 0 || $bad -gt 0 ]] || bad=1
    ((total >= bad + skipped)) || total=$((bad + skipped))
    report "$1" $((total - bad - skipped)) "$bad" $((SECONDS - start)) \
        "$( ((skipped == 0)) || echo ", $skipped skipped")"
}

stage_dist() {
    local start=$SECONDS
    if timeout -k 10 700 make -C "$work/obj" distcheck >"$work/log/dist.log" 2>&1; then
        report dist 1 0 $((SECONDS - start))
    else
        report dist 0 1 $((SECONDS - start))
    fi
}

stages=("$@")
[[ $# -gt 0 ]] || stages=(unit hygiene integration browser dist)
for stage in "${stages[@]}"; do
    [[ $stage =~ ^(unit|hygiene|integration|browser|dist)$ ]] ||
        die "unknown stage $stage (unit, hygiene, integration, browser, dist)"
done

install_packages build run test
mkdir -p "$work/log"
if stage_build; then
    for stage in "${stages[@]}"; do
        case $stage in
        unit | dist) "stage_$stage" ;;
        *) stage_pytest "$stage" ;;
        esac
    done
fi
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]

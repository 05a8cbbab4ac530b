# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by start_all.sh, stop_all.sh, status.sh, run_tests.sh and the benchmarks: messages, packages, services of a run directory.
#
# A service is a program started as leader of its own process group. Its file pid/NAME in the run directory holds the
# process id and the start time of the leader, so that a reused process id is never killed. The kernel does not reuse a
# number while a group has that id, so a group without its leader is still ours.

# Independent of what the caller's shell exports: [A-Z] means ASCII, lengths are bytes, cd prints nothing, files may be overwritten.
export LC_ALL=C
unset CDPATH
set +o noclobber +o noglob +o monitor +o allexport +o posix

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
run=${TFT_RUN_DIR:-$root/run}
[[ $run == /* ]] || run=$PWD/$run
# In the order of their start. nginx serves the demo, so it must outlive the last call of the workers.
services=(redis demo-inference demo-generator nginx receiver alertmanager workers watch)

say() {
    printf '%s\n' "$*"
}

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit "${exit_code:-1}"
}

# Prints the comment at the head of the script.
usage() {
    sed -n '3,/^set /{/^#/s/^# \{0,1\}//p}' "$0"
}

# parse_no_options ARGUMENT...
parse_no_options() {
    case ${1:-} in
    '') ;;
    -h | --help) usage && exit 0 ;;
    *) exit_code=2 die "unknown option $1 (see --help)" ;;
    esac
}

# True if start_all.sh has started something in the run directory.
anything_started() {
    local file
    for file in "$run"/pid/*; do
        [[ ! -e $file ]] || return 0
    done
    return 1
}

# Prints the packages of the given sections of packages.txt that are not installed. npm may be installed by other means, and a
# release does not need it.
missing_packages() {
    local section package packages installed
    mapfile -t packages < <(for section in "$@"; do sed -n "/^\[$section\]/,/^\[/{/^[a-z0-9]/p}" "$root/scripts/packages.txt"; done)
    # One call for all: each reads the whole list of what is installed.
    installed=$({ dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "${packages[@]}" 2>/dev/null || true; } | sed -n 's/^ii.//p' | xargs)
    for package in "${packages[@]}"; do
        if [[ $package == npm ]] && { command -v npm >/dev/null || [[ -d $root/nginx/third-party ]]; }; then
            continue
        fi
        [[ " $installed " == *" $package "* ]] || echo "$package"
    done
}

# Installs the missing packages of the given sections. Services of a new package must not start by themselves: nobody asked for a
# system-wide nginx or Redis.
install_packages() {
    local missing=() sudo=() policy=/usr/sbin/policy-rc.d
    command -v dpkg-query >/dev/null || return 0
    mapfile -t missing < <(missing_packages "$@")
    [[ ${#missing[@]} -gt 0 ]] || return 0
    if [[ $EUID -ne 0 ]]; then
        command -v sudo >/dev/null || die "not installed: ${missing[*]} (no sudo here: install them as root)"
        sudo=(sudo)
    fi
    say "Installing: ${missing[*]}"
    [[ -e $policy ]] && policy=''
    [[ -z $policy ]] || "${sudo[@]}" sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
    "${sudo[@]}" apt-get update -qq || true
    if "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        "${missing[@]}" >/dev/null; then
        [[ -z $policy ]] || "${sudo[@]}" rm -f "$policy"
    else
        [[ -z $policy ]] || "${sudo[@]}" rm -f "$policy"
        die "apt-get could not install: ${missing[*]}"
    fi
}

# copy_sources DIR: copies them to DIR/src, with DIR/obj for the build, because automake refuses a separate build directory if the
# source directory is configured, too. Times are kept, so the next build there compiles only what has changed.
copy_sources() {
    rm -rf "$1/src" && mkdir -p "$1"/{src,obj} &&
        tar -C "$root" -c --exclude-vcs --exclude=./build --exclude=./run --exclude=./assets --exclude=./gen --exclude=./third-party \
            --exclude=./Makefile --exclude=./built.sha256 --exclude='./config.*' --exclude=./stamp-h1 --exclude=./autom4te.cache \
            --exclude='*.o' --exclude='*.a' --exclude=.deps --exclude=__pycache__ . |
        tar -C "$1/src" -x
}

# Reads /proc/PID/stat into the array stat, from field 3 (state) on; field 2, the name, may contain blanks.
# stat[0] state, stat[2] process group, stat[19] start time in clock ticks since boot.
read_stat() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    read -ra stat <<<"${line##*) }"
}

# Prints the process id of a service's leader if that same process still runs. A zombie does not count: the init of some
# containers reaps slowly, and we must not wait for it.
leader() {
    local pid since stat
    { read -r pid since <"$run/pid/$1"; } 2>/dev/null || return 1
    read_stat "$pid" && [[ ${stat[19]} == "$since" && ${stat[0]} != Z ]] && echo "$pid"
}

# Prints the process group of a service if any process in it still runs.
group() {
    local pid since stat path
    { read -r pid since <"$run/pid/$1"; } 2>/dev/null || return 1
    if read_stat "$pid" && [[ ${stat[19]} != "$since" ]]; then
        return 1
    fi
    for path in /proc/[0-9]*; do
        if read_stat "${path#/proc/}" && [[ ${stat[2]} == "$pid" && ${stat[0]} != Z ]]; then
            echo "$pid"
            return 0
        fi
    done
    return 1
}

# Prints the first service that was started and has died; false if there is none.
dead_service() {
    local name
    for name in "${services[@]}"; do
        if [[ -e $run/pid/$name ]] && ! leader "$name" >/dev/null; then
            echo "$name"
            return 0
        fi
    done
    return 1
}

# last_log_line NAME: the last line that the service has logged since this script started it.
last_log_line() {
    local line
    line=$(tail -c "+$((${logged[$1]:-0} + 1))" "$run/log/$1.log" 2>/dev/null | grep -v 'died, respawn$' | tail -n 1)
    echo "${line:-no message in its log}"
}

declare -A logged=() # size of each service's log when the service was started

# start_service NAME COMMAND...: in the background, with output to log/NAME.log. It does not inherit lock files of the caller.
start_service() {
    local name=$1 stat
    shift
    logged[$name]=$(stat -c %s "$run/log/$name.log" 2>/dev/null || echo 0)
    setsid "$@" </dev/null >>"$run/log/$name.log" 2>&1 9>&- &
    read_stat $! || stat[19]=0 # it has ended already: dead_service will find that
    echo "$! ${stat[19]}" >"$run/pid/$name"
}

worker_pids() {
    local pid
    pid=$(leader workers) && ps -o pid= --ppid "$pid" | xargs
}

# await SECONDS COMMAND...: true as soon as the command succeeds, false after that time.
await() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

# replaced PID COUNT: true if that worker is gone and there are COUNT again.
replaced() {
    local pids
    pids=" $(worker_pids) "
    [[ $pids != *" $1 "* && $(wc -w <<<"$pids") -ge $2 ]]
}

# Replaces the workers one by one: multiwatch starts the successor of each, from the current program.
roll_workers() {
    local pid pids
    pids=$(worker_pids)
    for pid in $pids; do
        kill -TERM "$pid" 2>/dev/null || continue
        await 20 replaced "$pid" "$(wc -w <<<"$pids")" || true
    done
}

gone() {
    ! group "$1"
}

# Stops a service: TERM to its leader, which passes it on; after 20 s (a refresh may still run) KILL to the whole group.
stop_service() {
    local pid
    if pid=$(leader "$1"); then
        kill -TERM "$pid" 2>/dev/null || true
    elif pid=$(group "$1"); then
        kill -TERM -- "-$pid" 2>/dev/null || true
    fi
    if ! await 20 gone "$1" && pid=$(group "$1"); then
        say "$1 did not end within 20 s, killed"
        kill -KILL -- "-$pid" 2>/dev/null || true
    fi
    rm -f "$run/pid/$1"
}

# In reverse order of their start, so that whatever a service depends on still runs.
stop_services() {
    local i
    for ((i = ${#services[@]} - 1; i >= 0; i--)); do
        [[ ! -e $run/pid/${services[i]} ]] || stop_service "${services[i]}"
    done
    rm -rf "$run"/*.sock "$run"/redis/*.sock "$run/in-effect" "$run/workers"
}

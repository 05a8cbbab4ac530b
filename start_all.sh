#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what is missing, builds, starts everything in a private run directory, waits until the overview shows a fleet
# and prints its address. Safe to call twice.
#
#   ./start_all.sh [--dev] [--demo]
#     --dev   for work on the sources: they are watched, a change is built and served at once, without a lost request;
#             log level debug, nothing cached by browsers or nginx
#     --demo  simulated fleet, also where TFT_DAEMON_URL is set
#
# Environment (all optional):
#   TFT_PORT 8080 · TFT_LISTEN 127.0.0.1 · TFT_RUN_DIR ./run · TFT_WORKERS 6 (5 at least)
#   TFT_REDIS unix:/path, host:port or sentinel:host:port,.../name, with TFT_REDIS_USER and TFT_REDIS_PASSWORD_FILE;
#   unset: private Redis
#   TFT_DAEMON_URL, TFT_GENERATOR_URL, TFT_API_KEY; unset: simulated upstream on TFT_DEMO_PORT 8000 and the next port,
#   with TFT_DEMO_SERVERS 20
#   TFT_ANONYMOUS viewer (operator where a demo listens on 127.*) · TFT_OPERATORS · TFT_AUTH_ORIGIN
#   TFT_REFRESH_INTERVAL 30 · TFT_L1 on|off · TFT_LOG_LEVEL warning
#   TFT_BUILD  use the programs of this build directory instead of building
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/scripts/common.sh"

port=${TFT_PORT:-8080}
listen=${TFT_LISTEN:-127.0.0.1}
workers=${TFT_WORKERS:-6}
demo_port=${TFT_DEMO_PORT:-8000}
demo_servers=${TFT_DEMO_SERVERS:-20}
build=${TFT_BUILD:-$root}
dev=''
demo=''
[[ -n ${TFT_DAEMON_URL:-} ]] || demo=yes
url=http://${listen/#0.0.0.0/127.0.0.1}:$port/
service_user=''

parse_options() {
    local option
    for option in "$@"; do
        case $option in
        --dev) dev=yes ;;
        --demo) demo=yes ;;
        -h | --help)
            sed -n '3,/^set /{/^#/s/^# \{0,1\}//p}' "$0"
            exit 0
            ;;
        *)
            echo "start_all.sh: unknown option $option (see --help)" >&2
            exit 2
            ;;
        esac
    done
}

# require_number NAME VALUE MIN MAX
require_number() {
    if [[ ! $2 =~ ^[0-9]{1,6}$ ]] || ((10#$2 < $3 || 10#$2 > $4)); then
        die "$1=$2 is not a number from $3 to $4"
    fi
}

check_settings() {
    require_number TFT_PORT "$port" 1 65535
    require_number TFT_WORKERS "$workers" 1 1000
    require_number TFT_DEMO_PORT "$demo_port" 1 65534
    require_number TFT_DEMO_SERVERS "$demo_servers" 7 1000
    require_number TFT_REFRESH_INTERVAL "${TFT_REFRESH_INTERVAL:-30}" 5 300
    [[ $l1 == on || $l1 == off ]] || die "TFT_L1=$l1 is neither on nor off"
    # sun_path has 108 bytes; the longest name in the run directory is demo-inference.sock.
    ((${#run} <= 85)) || die "the path of TFT_RUN_DIR is too long for a unix socket: $run"
    # Three refresh groups may each keep one worker from answering.
    if ((workers < 5)); then
        say "TFT_WORKERS=$workers is too few for three refresh groups, starting 5"
        workers=5
    fi
}

# Configures once, then leaves it to make.
make_programs() (
    cd "$root" &&
        { [[ -x configure ]] || ./autogen.sh; } &&
        { [[ -e config.status ]] || ./configure; } &&
        make -j2
)

build_programs() {
    [[ -z ${TFT_BUILD:-} ]] || return 0
    local log=$run/log/build.log
    if [[ ! -w $root ]]; then
        [[ -x $root/tft-dashboard ]] || die "no write permission in $root, cannot build there"
        return 0
    fi
    [[ -x $root/tft-dashboard ]] || say "Building, about a minute ..."
    make_programs >"$log" 2>&1 9>&- || die "build failed, see $log: $(grep -m 1 -i 'error' "$log" || tail -n 1 "$log")"
}

check_tools() {
    local tool
    for tool in curl setsid spawn-fcgi multiwatch nginx redis-server ${dev:+inotifywait make}; do
        command -v "$tool" >/dev/null || die "missing tool: $tool"
    done
    for tool in tft-dashboard tft-demo-daemon; do
        [[ -x $build/$tool ]] || die "missing program: $build/$tool"
    done
}

# port_free ADDRESS PORT
port_free() {
    if (exec 3<>"/dev/tcp/${1/#0.0.0.0/127.0.0.1}/$2") 2>/dev/null; then
        die "port $2 on $1 is taken by another program"
    fi
}

check_ports() {
    port_free "$listen" "$port"
    [[ -n $demo ]] || return 0
    ((port < demo_port || port > demo_port + 1)) || die "TFT_PORT and TFT_DEMO_PORT overlap"
    port_free 127.0.0.1 "$demo_port"
    port_free 127.0.0.1 $((demo_port + 1))
}

# Started by root everything but nginx' master runs as www-data, unless that user cannot reach the files (a tree below
# /root, for instance).
choose_user() {
    [[ $EUID -eq 0 ]] || return 0
    service_user=root
    if id www-data >/dev/null 2>&1 && setpriv --reuid www-data --regid www-data --init-groups \
        test -x "$build/tft-dashboard" -a -r "$root/nginx/error/restarting.html" -a -x "$run"; then
        service_user=www-data
    fi
    mkdir -p "$run/redis" "$run/demo"
    chown -R "$service_user:$service_user" "$run/redis" "$run/demo"
}

as_service_user() {
    local name=$1
    shift
    if [[ $service_user == www-data ]]; then
        set -- setpriv --reuid www-data --regid www-data --init-groups "$@"
    fi
    start_service "$name" "$@"
}

# A password per start, known to the two programs only.
make_password() {
    (umask 077 && head -c 32 /dev/urandom | sha256sum | cut -c 1-64 | tr -d '\n' >"$run/redis.pass")
    [[ -z $service_user ]] || chown "$service_user" "$run/redis.pass"
}

render() {
    local hash=''
    if [[ -z ${TFT_REDIS:-} ]]; then
        make_password
        hash=$(sha256sum <"$run/redis.pass" | cut -d ' ' -f 1)
    fi
    "$root/scripts/render-config.sh" RUN_DIR="$run" ASSETS="$build/assets" LISTEN="$listen" PORT="$port" L1="$l1" \
        ASSET_CACHE="${dev:+no-store}" \
        DEMO_PORT="${demo:+$demo_port}" RUN_USER="$service_user" REDIS_PASSWORD_SHA256="$hash"
}

# spawn NAME SOCKET COMMAND...: a FastCGI program on a unix socket that nginx may open.
spawn() {
    local name=$1 socket=$2 owner=()
    shift 2
    [[ $service_user != www-data ]] || owner=(-u www-data -g www-data -U www-data -G www-data)
    start_service "$name" "$(command -v spawn-fcgi)" -n -s "$socket" -M 0660 -b 1024 "${owner[@]}" -- "$@"
}

start_redis() {
    as_service_user redis redis-server "$run/etc/redis.conf"
    export TFT_REDIS=unix:$run/redis/redis.sock TFT_REDIS_USER=tft TFT_REDIS_PASSWORD_FILE=$run/redis.pass
    unset TFT_REDIS_PASSWORD
    await 10 test -S "$run/redis/redis.sock" || die "Redis does not start (log: $run/log/redis.log)"
}

start_demo() {
    local role
    rm -f "$run/demo/state"
    for role in inference generator; do
        spawn "demo-$role" "$run/demo-$role.sock" "$build/tft-demo-daemon" --role "$role" --state "$run/demo/state" \
            --servers "$demo_servers" --warm
    done
    # Whoever can reach a demo on this host alone may play with it.
    [[ $listen != 127.* ]] || export TFT_ANONYMOUS=${TFT_ANONYMOUS:-operator}
    export TFT_DAEMON_URL=http://127.0.0.1:$demo_port TFT_GENERATOR_URL=http://127.0.0.1:$((demo_port + 1))
}

start_workers() {
    local complaint
    export TFT_LOG_LEVEL=$log_level TFT_WORKERS=$workers
    complaint=$("$build/tft-dashboard" --check 2>&1) || die "$(tail -n 1 <<<"$complaint")"
    # multiwatch gives a slot up for good after -r quick deaths, and none is quick with -t 0. The worker itself delays a failing start.
    # -s: 1.0.0 sends the signal before the one it was told, HUP for INT; a worker takes both for the end. TERM would be QUIT.
    spawn workers "$run/fcgi.sock" "$(command -v multiwatch)" -f "$workers" -r 1000000 -t 0 -s INT -- "$build/tft-dashboard"
}

start_nginx() {
    rm -rf "$run/l1" # the copies of an earlier run may be days old
    start_service nginx nginx -e "$run/log/nginx.log" -p "$run" -c "$run/etc/nginx.conf"
    # The demo is behind it as well, and a worker's first call must not fail: the next one is for the next interval.
    [[ -z $demo ]] || await 20 curl -fsS -m 5 -o /dev/null "$TFT_DAEMON_URL/status" ||
        die "the simulated daemon does not answer (logs: $run/log)"
}

# await SECONDS COMMAND...: true as soon as the command succeeds, false after that time; dies if a service has died.
await() {
    local tries=$(($1 * 10)) name
    shift
    until "$@" >/dev/null 2>&1; do
        name=$(dead_service) &&
            die "$name ended: $(tail -n 1 "$run/log/$name.log") (log: $run/log/$name.log)"
        ((tries-- > 0)) || return 1
        sleep 0.1
    done
}

# The overview is there and has servers; while the upstream warms up it has none.
fleet_is_shown() {
    local answer
    answer=$(curl -fsS -m 5 "${url}api/v1/fleet") && [[ $answer =~ \"total\":[1-9] ]] &&
        curl -fsS -m 5 -o /dev/null "$url"
}

await_ready() {
    await 20 curl -fsS -m 5 -o /dev/null "${url}healthz" ||
        die "no answer from ${url}healthz: $(tail -n 1 "$run/log/workers.log") (logs: $run/log)"
    # What stopped the instance before may have left a breaker in Redis: up to a minute without a call.
    await 75 fleet_is_shown && return 0
    [[ -z $demo ]] || die "the overview shows no fleet after 75 s: $(tail -n 1 "$run/log/workers.log") (logs: $run/log)"
    say "No data from $TFT_DAEMON_URL yet; the dashboard keeps trying."
}

on_exit() {
    local code=$?
    [[ $code -eq 0 ]] || stop_services
    exit "$code"
}

parse_options "$@"
l1=${TFT_L1:-$([[ -z $dev ]] && echo on || echo off)}
log_level=${TFT_LOG_LEVEL:-$([[ -z $dev ]] && echo warning || echo debug)}
check_settings
umask 022 # www-data has to get through
if ! mkdir -p "$run"/{log,pid,redis,demo} 2>/dev/null || [[ ! -w $run || ! -w $run/pid || ! -w $run/log ]]; then
    die "no write permission: $run"
fi
exec 9>"$run/lock"
flock -n 9 || die "another start_all.sh is at work in $run"

if [[ -e $run/pid/nginx ]] && ! dead_service >/dev/null; then
    say "Already running: $(<"$run/url")"
    exit 0
fi
stop_services
install_packages build run ${dev:+dev}
build_programs
check_tools
check_ports
trap on_exit EXIT
trap 'exit 130' INT TERM
choose_user
render
[[ -n ${TFT_REDIS:-} ]] || start_redis
[[ -z $demo ]] || start_demo
start_nginx
start_workers
await_ready
if [[ -n $dev ]]; then
    TFT_RUN_DIR=$run TFT_BUILD=$build start_service watch "$root/scripts/dev-watch.sh"
    say "Changes of the sources are built and served (log: $run/log/watch.log)"
fi
echo "$url" >"$run/url"
say "Dashboard: $url"

#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what is missing, builds, starts everything in a private run directory, waits until the overview shows a fleet
# and prints its address. Safe to call twice.
#
#   ./start_all.sh [--dev] [--demo] [--alerts]
#     --dev   for work on the sources: builds and serves each change at once, without losing a request; log level debug;
#             browsers and nginx cache nothing
#     --demo  simulated fleet, even if TFT_DAEMON_URL is set
#     --alerts  also an Alertmanager on the next free port from 9093 on, which routes the alerts as prometheus/alertmanager.yml
#             says, and a receiver that stands for pager, chat and e-mail: it writes what it is told to log/receiver.log
#
# Environment (all optional):
#   TFT_PORT 8080 · TFT_LISTEN 127.0.0.1, ::1, * · TFT_RUN_DIR ./run · TFT_WORKERS 6 (at least 5) ·
#   TFT_WORKERS_TOTAL of all hosts that reach the daemon from one address
#   TFT_REDIS unix:/path, host:port or sentinel:host:port,.../name, with TFT_REDIS_USER and TFT_REDIS_PASSWORD_FILE,
#   with TLS rediss://host:port or rediss-sentinel://host:port,.../name, with TFT_REDIS_CA_FILE, _CERT_FILE, _KEY_FILE;
#   unset: private Redis · TFT_REDIS_PREFIX tft, a different one for each fleet on the same Redis
#   TFT_DAEMON_URL, TFT_GENERATOR_URL, TFT_API_KEY; unset: simulated upstream on TFT_DEMO_PORT 8000 and the next port,
#   with TFT_DEMO_SERVERS 20
#   TFT_FLEET name of the fleet, if its daemon has several addresses
#   TFT_ANONYMOUS viewer (operator where a demo listens on 127.*) · TFT_OPERATORS · TFT_AUTH_ORIGIN
#   TFT_FLEET_METRICS on: the fleet for Prometheus, at /metrics/fleet, for this host only
#   TFT_ALERTMANAGER http://host:9093,... , with TFT_ALERT_FROM, TFT_ALERT_AFTER, TFT_ALERT_AUTHENTICATION_FILE,
#   TFT_ALERT_CA_FILE · TFT_PUBLIC_URL of the dashboard, for the links in alerts
#   TFT_REFRESH_INTERVAL 30 · TFT_HISTORY_MEMORY 256m · TFT_L1 on|off · TFT_LOG_LEVEL warning
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
alerts=''
[[ -n ${TFT_DAEMON_URL:-} ]] || demo=yes
private=''
[[ -n ${TFT_REDIS:-} ]] || private=yes
service_user=''
as_service=()

parse_options() {
    local option
    for option in "$@"; do
        case $option in
        --dev) dev=yes ;;
        --demo) demo=yes ;;
        --alerts) alerts=yes ;;
        *) parse_no_options "$option" ;;
        esac
    done
}

# require_number NAME VALUE MIN MAX
require_number() {
    if [[ ! $2 =~ ^[0-9]{1,6}$ ]] || ((10#$2 < $3 || 10#$2 > $4)); then
        die "$1=$2 is not a number from $3 to $4"
    fi
}

# require_path WHAT PATH REFUSED: blanks, quotes and letters of all alphabets work in make and in the configuration of nginx and
# Redis. The refused characters do not: nginx takes $ for a variable, and nginx and Redis take *, ?, [ and \ for a pattern.
require_path() {
    if [[ $2 == *["$3"]* || $2 == *[[:cntrl:]]* ]]; then
        die "the path of $1 must not contain $3 or a control character: ${2//[[:cntrl:]]/?}"
    fi
    iconv -f UTF-8 -t UTF-8 <<<"$2" >/dev/null 2>&1 || die "the path of $1 is not UTF-8"
}

check_paths() {
    require_path "the run directory (TFT_RUN_DIR)" "$run" "\$*?[\\"
    require_path "the build directory" "$build" '$'
    # Automake refuses these.
    [[ -n ${TFT_BUILD:-} ]] || require_path "this directory" "$root" "\$*?[\"\\#&\`'"
    # sun_path has 108 bytes; the longest name in the run directory is demo-inference.sock.
    ((${#run} <= 85)) || die "the path of TFT_RUN_DIR is too long for a unix socket (${#run} bytes, 85 at most): $run"
}

# Reports names that are in neither the head of this script nor the table of options: a misspelt one has no effect.
check_names() {
    local known name
    known=" $({ usage && cat "$root/src/settings.c"; } | grep -o 'TFT_[A-Z0-9_]*' | sort -u | xargs) "
    for name in $(compgen -e TFT_ || true); do
        [[ $known == *" ${name%_FILE} "* ]] || { say "$name is not a setting and is ignored" >&2 && unset "$name"; }
    done
}

check_settings() {
    require_number TFT_PORT "$port" 1 65535
    require_number TFT_WORKERS "$workers" 1 1000
    require_number TFT_DEMO_PORT "$demo_port" 1 65534
    require_number TFT_DEMO_SERVERS "$demo_servers" 7 1000
    require_number TFT_REFRESH_INTERVAL "${TFT_REFRESH_INTERVAL:-30}" 5 300
    [[ $l1 == on || $l1 == off ]] || die "TFT_L1=$l1 is neither on nor off"
    # Bash takes 010 for 8, and nginx takes it for 10.
    port=$((10#$port)) workers=$((10#$workers)) demo_port=$((10#$demo_port))
    [[ -z $alerts || -z ${TFT_ALERTMANAGER:-} ]] || die "--alerts starts an Alertmanager, and TFT_ALERTMANAGER names another one"
    check_paths
    check_names
    # Each of the three refresh groups may occupy one worker.
    if ((workers < 5)); then
        say "TFT_WORKERS=$workers is too few for three refresh groups: starting 5"
        workers=5
    fi
}

# Where nginx listens, and the address at which we reach it.
set_address() {
    [[ $listen =~ ^[][A-Za-z0-9.:*_-]+$ ]] || die "TFT_LISTEN=$listen is not an address (127.0.0.1, ::1, * for all)"
    listen=${listen#[}
    listen=${listen%]}
    case $listen in
    '*' | 0.0.0.0) here=127.0.0.1 ;;
    ::) here=::1 ;;
    *) here=$listen ;;
    esac
    [[ $listen != *:* ]] || listen=[$listen]
    url=http://$here:$port/
    [[ $here != *:* ]] || url=http://[$here]:$port/
}

# Prints the settings of this start, one NAME=VALUE per line. For a secret, only that there is one.
print_settings() {
    local name
    local -A now=([--dev]=${dev:-no} [--demo]=${demo:-no} [--alerts]=${alerts:-no})
    for name in $(compgen -e TFT_ || true); do
        now[$name]=${!name}
    done
    for name in TFT_API_KEY TFT_REDIS_PASSWORD TFT_REDIS_SENTINEL_PASSWORD TFT_ALERT_AUTHENTICATION; do
        [[ -z ${now[$name]:-} ]] || now[$name]=secret
    done
    now+=([TFT_PORT]=$port [TFT_LISTEN]=$listen [TFT_WORKERS]=$workers [TFT_L1]=$l1 [TFT_LOG_LEVEL]=$log_level)
    now+=([TFT_DEMO_PORT]=$demo_port [TFT_DEMO_SERVERS]=$demo_servers [TFT_RUN_DIR]=$run [TFT_BUILD]=$build)
    for name in "${!now[@]}"; do
        printf '%s=%s\n' "$name" "${now[$name]}"
    done | sort
}

# Prints checksums of everything that the services run. With --dev the watcher handles new programs.
print_parts() {
    local parts=("$root"/{nginx/*.{in,conf,inc},nginx/error/*,redis/*.in,scripts/render-config.sh})
    [[ -n $dev ]] || parts+=("$build"/{tft-dashboard,tft-fetch,tft-demo-daemon,assets/assets.h})
    printf 'parts=%s\n' "$(cat "${parts[@]}" 2>/dev/null | sha256sum | cut -d ' ' -f 1)"
    printf 'program=%s\n' "$build/tft-dashboard"
}

is_running() {
    [[ -e $run/in-effect && -e $run/pid/nginx ]] && ! dead_service >/dev/null
}

check_same_settings() {
    local changed
    changed=$({ diff <(grep -v '^[a-z]' "$run/in-effect") <(print_settings) || true; } | sed -n 's/^[<>] \([^=]*\)=.*/\1/p' | sort -u | xargs)
    [[ -z $changed ]] || die "already running with other settings ($changed): run ./stop_all.sh first, or set another TFT_RUN_DIR"
}

sources=(autogen.sh configure.ac Makefile.am m4 include src redis nginx)

# Make compares times. A file that was unpacked, copied or checked out may have changed and still be older than what was built
# from its previous version.
touch_changed() {
    [[ -e built.sha256 ]] || return 0
    { sha256sum --quiet -c built.sha256 2>/dev/null || true; } | sed -n 's/: FAILED$//p' | xargs -r -d '\n' touch -c --
}

note_built() {
    find "${sources[@]}" -type f -print0 | xargs -0 sha256sum >built.sha256
}

# Configures once, then leaves it to make.
make_programs() (
    cd "$root" &&
        touch_changed &&
        { [[ -x configure ]] || ./autogen.sh; } &&
        { [[ -e Makefile ]] || ./configure; } &&
        make -j2 &&
        note_built
)

build_programs() {
    [[ -z ${TFT_BUILD:-} ]] || return 0
    local log=$run/log/build.log
    if [[ ! -w $root ]]; then
        [[ -x $root/tft-dashboard ]] || die "cannot build in $root: no write permission"
        return 0
    fi
    [[ -x $root/tft-dashboard ]] || say "Building, about a minute ..."
    make_programs >"$log" 2>&1 9>&- ||
        die "build failed, see $log: $(grep -m 1 -E '^third-party.sh:|error:' "$log" || tail -n 1 "$log")"
}

check_tools() {
    local tool
    for tool in curl setsid spawn-fcgi multiwatch nginx ${private:+redis-server} ${dev:+inotifywait make} ${alerts:+prometheus-alertmanager python3}; do
        command -v "$tool" >/dev/null || die "missing tool: $tool"
    done
    for tool in tft-dashboard tft-demo-daemon; do
        [[ -x $build/$tool ]] || die "missing program: $build/$tool"
    done
}

# port_used ADDRESS PORT
port_used() {
    (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}

# port_free ADDRESS PORT
port_free() {
    ! port_used "$1" "$2" || die "another program uses port $2 on $1"
}

# The first of two free ports in a row: of Alertmanager, and of its receiver.
find_alert_port() {
    for ((alert_port = 9093; alert_port < 9193; alert_port += 2)); do
        if ! port_used 127.0.0.1 "$alert_port" && ! port_used 127.0.0.1 $((alert_port + 1)); then
            return
        fi
    done
    die "no free port from 9093 to 9192 for Alertmanager"
}

check_ports() {
    port_free "$here" "$port"
    [[ -n $demo ]] || return 0
    ((port < demo_port || port > demo_port + 1)) || die "TFT_PORT and TFT_DEMO_PORT overlap"
    port_free 127.0.0.1 "$demo_port"
    port_free 127.0.0.1 $((demo_port + 1))
}

# When started by root, everything but the nginx master runs as www-data, unless that user cannot reach the files (for instance
# below /root).
choose_user() {
    local as=(setpriv --reuid www-data --regid www-data --init-groups)
    [[ $EUID -eq 0 ]] || return 0
    service_user=root
    if id www-data >/dev/null 2>&1 && "${as[@]}" test -x "$build" -a -r "$root/nginx/error/restarting.html" -a -x "$run"; then
        service_user=www-data
        as_service=("${as[@]}")
    fi
    mkdir -p "$run/redis" "$run/demo" "$run/alertmanager"
    chown -R "$service_user:$service_user" "$run/redis" "$run/demo" "$run/alertmanager"
}

as_service_user() {
    local name=$1
    shift
    start_service "$name" "${as_service[@]}" "$@"
}

# A worker that cannot read its key ends at once. The password file that we write ourselves needs no check.
check_secret_files() {
    local name file user=${service_user:-$(id -un)}
    for name in TFT_API_KEY_FILE TFT_REDIS_PASSWORD_FILE TFT_REDIS_SENTINEL_PASSWORD_FILE TFT_REDIS_KEY_FILE TFT_ALERT_AUTHENTICATION_FILE; do
        file=${!name:-}
        [[ -n $file ]] || continue
        [[ -f $file ]] || die "$name=$file: no such file"
        if ! "${as_service[@]}" test -r "$file" || (("0$(stat -L -c %a "$file")" & 7)); then
            die "$name=$file is $(stat -L -c '%U:%G, mode 0%a' "$file"); the workers run as $user and need:" \
                "group $user, mode 0640 (or owner $user, mode 0600), in a directory that $user may enter"
        fi
    done
}

# Each start has a new password, which only Redis and the workers know.
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
        PREFIX="${TFT_REDIS_PREFIX:-tft}" REDIS_DATA="$run/redis/$fleet" DEMO_PORT="${demo:+$demo_port}" RUN_USER="$service_user" REDIS_PASSWORD_SHA256="$hash"
}

# spawn_demo ROLE: a FastCGI program on a unix socket that nginx may open.
spawn_demo() {
    local owner=()
    [[ $service_user != www-data ]] || owner=(-u www-data -g www-data -U www-data -G www-data)
    start_service "demo-$1" spawn-fcgi -n -s "$run/demo-$1.sock" -M 0660 -b 1024 "${owner[@]}" -- \
        "$build/tft-demo-daemon" --role "$1" --state "$run/demo/state" --servers "$demo_servers" --warm
}

# Each fleet has its own files, so that its pages and history are never shown as another's, and are there when it is used again.
# A demonstration is identified by its name, because a real daemon may later get its address.
name_fleet() {
    [[ -z $demo ]] || export TFT_FLEET=demo TFT_DAEMON_URL=http://127.0.0.1:$demo_port TFT_GENERATOR_URL=http://127.0.0.1:$((demo_port + 1))
    fleet=$("${as_service[@]}" "$build/tft-dashboard" --fingerprint 2>&1) || die "$(tail -n 1 <<<"$fleet")"
}

start_redis() {
    "${as_service[@]}" mkdir -p "$run/redis/$fleet"
    as_service_user redis redis-server "$run/etc/redis.conf"
    export TFT_REDIS=unix:$run/redis/redis.sock TFT_REDIS_USER=tft TFT_REDIS_PASSWORD_FILE=$run/redis.pass
    unset TFT_REDIS_PASSWORD
    await_start 10 test -S "$run/redis/redis.sock" || die "Redis did not start within 10 s (log: $run/log/redis.log)"
}

start_demo() {
    rm -f "$run/demo/state"
    spawn_demo inference
    spawn_demo generator
    # A demo that only this host can reach allows everybody to act.
    [[ $here != 127.* || $listen != "$here" ]] || export TFT_ANONYMOUS=${TFT_ANONYMOUS:-operator}
}

# The routes as they are shipped; all receivers are ours, and nobody waits long for a demonstration.
print_routes() {
    local name routes=$root/prometheus/alertmanager.yml
    sed -e '/^receivers:/,$d' -e 's/^  group_wait: .*/  group_wait: 1s/' -e 's/^  group_interval: .*/  group_interval: 5s/' \
        "$routes"
    echo receivers:
    while read -r name; do
        printf '  - name: %s\n    webhook_configs: [{url: "http://127.0.0.1:%d/%s", send_resolved: true}]\n' \
            "$name" $((alert_port + 1)) "$name"
    done < <(sed -n 's/^ *receiver: //p' "$routes" | sort -u)
}

start_alerts() {
    find_alert_port
    mkdir -p "$run/alertmanager"
    print_routes >"$run/etc/alertmanager.yml"
    as_service_user receiver "$root/scripts/alert-receiver" $((alert_port + 1))
    as_service_user alertmanager prometheus-alertmanager --config.file="$run/etc/alertmanager.yml" --log.level=warn \
        --storage.path="$run/alertmanager" --web.listen-address="127.0.0.1:$alert_port" --cluster.listen-address=
    export TFT_ALERTMANAGER=http://127.0.0.1:$alert_port TFT_PUBLIC_URL=${TFT_PUBLIC_URL:-$url}
    export TFT_ALERT_AFTER=${TFT_ALERT_AFTER:-1} TFT_ALERT_FROM=${TFT_ALERT_FROM:-watch}
    await_start 20 answers "$TFT_ALERTMANAGER/-/ready" || die "Alertmanager did not start within 20 s (log: $run/log/alertmanager.log)"
}

start_workers() {
    local complaint
    export TFT_LOG_LEVEL=$log_level TFT_WORKERS=$workers
    complaint=$("${as_service[@]}" "$build/tft-dashboard" --check 2>&1) || die "$(tail -n 1 <<<"$complaint")"
    [[ -z $complaint ]] || say "$complaint" >&2
    # The workers record their calls without Redis in this file, which they cannot create in a directory of root.
    : >>"$run/fcgi.sock.calls"
    [[ -z $service_user ]] || chown "$service_user" "$run/fcgi.sock.calls"
    start_service workers "$root/scripts/tft-spawn" -f -s "$run/fcgi.sock" -n "$workers" -p "$build/tft-dashboard" \
        ${service_user:+-u "$service_user"} start
}

start_nginx() {
    rm -rf "$run/l1" # the copies of an earlier run may be days old
    start_service nginx nginx -e "$run/log/nginx.log" -p "$run" -c "$run/etc/nginx.conf"
    # nginx serves the demo, too. A worker's first call must not fail: the next one follows only an interval later.
    [[ -z $demo ]] || await_start 20 answers "$TFT_DAEMON_URL/status" ||
        die "the simulated daemon does not answer (logs: $run/log)"
}

# Prints a service that has ended, or whose workers end as soon as they start; false if there is none.
failed_service() {
    if [[ -e $run/workers/ended-at-once ]]; then
        echo workers
    else
        dead_service
    fi
}

# True if the command succeeds, or if it never will.
is_decided() {
    "$@" || failed_service
}

# await_start SECONDS COMMAND...: true as soon as the command succeeds, false after that time; dies if a service has died.
await_start() {
    local code=0 name
    await "$1" is_decided "${@:2}" || code=1
    name=$(failed_service) || return "$code"
    die "$name ended: $(last_log_line "$name") (log: $run/log/$name.log)"
}

answers() {
    curl -fsS -m 2 -o /dev/null "$1"
}

# True if the overview has servers; it has none while the upstream warms up.
fleet_is_shown() {
    local answer
    answer=$(curl -fsS -m 2 "${url}api/v1/fleet") && [[ $answer =~ \"total\":[1-9] ]] && answers "$url"
}

# upstream_field KEY: prints that text of the upstream's status; nothing until a call has ended.
upstream_field() {
    curl -fsS -m 2 "${url}api/v1/status" | grep -o '"upstream":.*"last_call":{.*' | grep -o "\"$1\":\"[^\"]*" | head -n 1 | cut -d '"' -f 4
}

# True if there is a fleet, or a reason why there is none.
upstream_is_known() {
    fleet_is_shown || [[ -n $(upstream_field detail) ]]
}

await_ready() {
    await_start 20 answers "${url}healthz" || die "no answer from ${url}healthz: $(last_log_line workers) (logs: $run/log)"
    if [[ -z $demo ]]; then
        await_start 20 upstream_is_known || true
        fleet_is_shown 2>/dev/null || say "No data from $TFT_DAEMON_URL yet ($(upstream_field detail || echo no answer)); the dashboard runs and keeps trying."
        return
    fi
    # An earlier instance may have left an open breaker in Redis: no call for up to a minute.
    await_start 75 fleet_is_shown || die "the overview shows no fleet after 75 s: $(last_log_line workers) (logs: $run/log)"
}

on_exit() {
    local code=$?
    [[ $code -eq 0 ]] || stop_services
    exit "$code"
}

parse_options "$@"
l1=${TFT_L1:-$([[ -z $dev ]] && echo on || echo off)}
log_level=${TFT_LOG_LEVEL:-$([[ -z $dev ]] && echo warning || echo debug)}
export TFT_FLEET_METRICS=${TFT_FLEET_METRICS:-on}
check_settings
set_address
settings=$(print_settings)
umask 022 # www-data must be able to enter
if ! mkdir -p "$run"/{log,pid,redis,demo} 2>/dev/null || [[ ! -w $run || ! -w $run/pid || ! -w $run/log ]]; then
    die "no write permission in $run (set TFT_RUN_DIR to another directory)"
fi
exec 9>"$run/lock"
flock -n 9 || die "another start_all.sh is running in $run"

! is_running || check_same_settings
choose_user
check_secret_files
install_packages build run ${private:+redis} ${dev:+dev} ${alerts:+alerts}
build_programs
check_tools
if is_running && grep -qxF "$(print_parts | head -n 1)" "$run/in-effect"; then
    say "Already running: $url"
    exit 0
fi
stop_services
check_ports
trap on_exit EXIT
trap 'exit 130' INT TERM
name_fleet
render
[[ -z $private ]] || start_redis
[[ -z $demo ]] || start_demo
start_nginx
[[ -z $alerts ]] || start_alerts
start_workers
await_ready
if [[ -n $dev ]]; then
    TFT_RUN_DIR=$run TFT_BUILD=$build start_service watch "$root/scripts/dev-watch.sh"
    say "Changes to the sources are built and served (log: $run/log/watch.log)"
fi
echo "$url" >"$run/url"
{ echo "$settings" && print_parts; } >"$run/in-effect"
[[ -z $alerts ]] || say "Alertmanager: $TFT_ALERTMANAGER, what it tells: $run/log/receiver.log"
say "Dashboard: $url"

#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the image of Containerfile from a release of these sources, and brings compose.yaml up with the simulated fleet and a
# key. Needs root, podman, podman-compose and runc; leaves nothing behind. Without a registry the base is made from the Debian
# archive that this machine's apt uses, by mmdebstrap.
#
#   scripts/test-container.sh
#
# Environment: TFT_DEBIAN_MIRROR  address of a Debian archive, for the base; unset: where apt of this machine has Debian from
#              TFT_PORT  where the dashboard listens meanwhile, 8080
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

parse_no_options "$@"
[[ $EUID -eq 0 ]] || die "needs root"
base=debian:13-slim
image=localhost/tft-dashboard
export TFT_PORT=${TFT_PORT:-8080}
url=http://127.0.0.1:$TFT_PORT

# A separate store. runc and these limits also work where cgroups are mixed, or limits cannot be raised.
configure_podman() {
    printf '[storage]\ndriver = "vfs"\ngraphroot = "%s"\nrunroot = "%s"\n' "$work/images" "$work/podman" >"$work/storage.conf"
    printf '[containers]\ndefault_ulimits = ["nofile=%s", "nproc=%s"]\n' "$(ulimit -n):$(ulimit -n)" 1024:1024 >"$work/containers.conf"
    printf '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n' >>"$work/containers.conf"
    export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf
}

# This machine's own certificate authorities may stand between it and the mirrors.
make_base() {
    local archive="deb ${TFT_DEBIAN_MIRROR:-} trixie main"
    if timeout 60 podman pull -q "$base" >/dev/null 2>&1; then
        say "base: $base"
        return
    fi
    # shellcheck disable=SC2016 # apt's variables
    [[ -n ${TFT_DEBIAN_MIRROR:-} ]] ||
        archive=$(apt-get indextargets --format 'deb $(REPO_URI) trixie main' 'Created-By: Packages' 'Origin: Debian' | grep -v security | sort -u)
    # shellcheck disable=SC2016 # $1 is the new system's root, for mmdebstrap
    mmdebstrap --variant=apt --include=ca-certificates --aptopt='Apt::Install-Recommends "false"' \
        --customize-hook='copy-in /usr/local/share/ca-certificates /usr/local/share' \
        --customize-hook='chroot "$1" update-ca-certificates' trixie "$work/base.tar" - <<<"$archive" >"$work/base.log" 2>&1 ||
        die "no base system: $(tail -n 3 "$work/base.log")"
    base=localhost/debian:13
    podman import -q "$work/base.tar" "$base" >/dev/null
    say "base: no registry answers, made by mmdebstrap"
}

make_release() {
    copy_sources "$work"
    (cd "$work/obj" && ../src/autogen.sh && ../src/configure && make dist) >"$work/dist.log" 2>&1 ||
        die "make dist fails: $(tail -n 3 "$work/dist.log")"
    mkdir "$work/release"
    tar -C "$work/release" --strip-components=1 -xf "$work"/obj/tft-dashboard-*.tar.xz
    install -D -m 640 -g 10001 /dev/stdin "$work/release/secrets/api_key" <<<'a-key-of-the-test'
}

make_image() {
    podman build --network host --build-arg BASE="$base" -t "$image" -f Containerfile . >"$work/build.log" 2>&1 ||
        die "no image: $(tail -n 20 "$work/build.log")"
    say "image: $(podman image inspect -f '{{.Size}}' "$image" | numfmt --to=si), base $(podman image inspect -f '{{.Size}}' "$base" | numfmt --to=si)"
}

compose() {
    podman-compose -p tfttest -f compose.yaml -f compose.demo.yaml -f compose.key.yaml "$@"
}

# in_service SERVICE COMMAND...
in_service() {
    podman exec "tfttest_$1_1" "${@:2}"
}

# expect WHAT COMMAND...: the command must succeed within 90 s.
expect() {
    if ! await 90 "${@:2}" >/dev/null 2>&1; then
        podman ps -a >&2
        for service in redis workers nginx inference generator; do
            podman logs --tail 5 "tfttest_${service}_1" >&2 || true
        done
        die "failed: $1"
    fi
    say "ok: $1"
}

is_healthy() {
    podman healthcheck run "tfttest_$1_1"
}

shows_fleet() {
    curl -fsS -m 5 "$url/api/v1/fleet" | grep '"total":20' && curl -fsS -m 5 "$url/" | grep '</html>'
}

runs_without_root() {
    [[ $(in_service "$1" sh -c "grep -h '^Uid:' /proc/[0-9]*/status | sort -u | xargs") == 'Uid: 10001 10001 10001 10001' ]]
}

# The user must not be able to change the programs or even its own files.
is_read_only() {
    ! in_service "$1" sh -c 'touch /etc/x || touch /opt/tft/x || touch /x' && in_service "$1" grep -E '^[^ ]+ / [^ ]+ ro,' /proc/mounts
}

has_no_default_route() {
    ! in_service "$1" cut -f 2 /proc/net/route | grep -x 00000000
}

# The environment has only the name of the key's file, and the password nowhere.
hides_secrets() {
    local known pass
    pass=$(in_service workers cat /srv/redis/redis/redis.pass)
    known=$(podman inspect tfttest_{redis,workers,nginx}_1 && in_service workers sh -c 'cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline' | tr '\0' '\n')
    [[ ${#pass} == 64 && $known == *TFT_API_KEY_FILE=/run/secrets/api_key* && $known != *"$pass"* && $known != *a-key-of-the-test* ]]
}

pages_without_workers() {
    curl -sS -m 5 -o /dev/null -w '%{http_code}' "$url/" | grep -E '200|502|503|504'
}

redis_is_up() {
    in_service nginx curl -fsS http://127.0.0.1:8080/metrics | grep '^tft_dashboard_redis_up 1$'
}

clean_up() {
    (cd "$work/release" && compose down -v) >/dev/null 2>&1 || true
    podman unmount -a >/dev/null 2>&1 || true
    rm -rf --one-file-system "$work"
}

install_packages build container
work=$(mktemp -d)
chmod 755 "$work"
trap clean_up EXIT
configure_podman
make_base
make_release
cd "$work/release"
make_image
say "$(podman --version), $(runc --version | head -n 1)"
compose up -d >"$work/up.log" 2>&1 || die "does not come up: $(tail -n 20 "$work/up.log")"
expect "the page and the API show the simulated fleet" shows_fleet
for service in redis workers nginx; do
    expect "$service is healthy" is_healthy "$service"
done
for service in redis workers nginx inference generator; do
    expect "$service runs without root" runs_without_root "$service"
    expect "$service has a read-only root" is_read_only "$service"
done
for service in redis inference generator; do
    expect "$service cannot reach other networks" has_no_default_route "$service"
done
expect "no secret in environments, arguments or podman inspect" hides_secrets
podman stop -t 20 tfttest_workers_1 >/dev/null
expect "nginx answers without workers" pages_without_workers
podman start tfttest_workers_1 >/dev/null
expect "and with them again" is_healthy workers
podman restart -t 10 tfttest_redis_1 >/dev/null
expect "Redis comes back with the same password" is_healthy nginx
expect "and the workers use it" redis_is_up

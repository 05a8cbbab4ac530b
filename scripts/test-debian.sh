#!/bin/bash
# SPDX-License-Identifier: MIT
# What a newcomer meets on a fresh Debian, and what the package does there. The last commit is what is tested. Needs root,
# mmdebstrap and the mirror that this machine's apt uses; the network is this machine's, so nothing else may listen on the
# dashboard's ports.
#
#   scripts/test-debian.sh 12|13 [STAGE]...      without a stage: all, in this order; those of one call share a system
#     start    ./start_all.sh in a clean clone, where there are git and ca-certificates and nothing else; and every recorded
#              answer of a daemon goes through the program that it has built
#     tests    ./run_tests.sh, and what asks Redis once more with each other server of its kind that this Debian has
#     package  builds the package twice, which must give the same, checks it, and installs, upgrades, removes and purges it
#              in another fresh system
#
# Environment: TFT_DEBIAN_MIRROR  address of a Debian archive; unset: where apt of this machine has Debian from
#              TFT_PORT, TFT_DEMO_PORT  as for start_all.sh
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
    sed -n '3,/^set /{/^#/s/^# \{0,1\}//p}' "$0"
    exit "$1"
}

case ${1:-} in
12) codename=bookworm ;;
13) codename=trixie ;;
-h | --help) usage 0 ;;
*) usage 2 >&2 ;;
esac
debian=$1
shift
[[ $# -gt 0 ]] || set -- start tests package
for stage in "$@"; do
    [[ $stage =~ ^(start|tests|package)$ ]] || usage 2 >&2
done
[[ $EUID -eq 0 ]] || die "needs root"
home=/srv/tft-dashboard # the clone, inside

# Lines for sources.list: what apt has here of Debian, under the other codename.
archive() {
    if [[ -n ${TFT_DEBIAN_MIRROR:-} ]]; then
        echo "deb $TFT_DEBIAN_MIRROR $codename main"
        return
    fi
    # shellcheck disable=SC2016 # apt's variables
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) main' 'Created-By: Packages' 'Origin: Debian' | sort -u |
        sed "s/ $(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)/ $codename/"
}

# What each system begins with. This machine's own certificate authorities may stand between it and the mirrors.
make_base() {
    archive >"$work/sources.list"
    [[ -s $work/sources.list ]] || die "apt knows no Debian archive here: apt-get update, or set TFT_DEBIAN_MIRROR"
    # shellcheck disable=SC2016 # $1 is the new system's root, for mmdebstrap
    mmdebstrap --variant=apt --include=git,ca-certificates --aptopt='Apt::Install-Recommends "false"' \
        --customize-hook='copy-in /etc/resolv.conf /etc/hosts /etc' \
        --customize-hook='copy-in /usr/local/share/ca-certificates /usr/local/share' \
        --customize-hook='chroot "$1" update-ca-certificates' \
        "$codename" "$work/base.tar" "$work/sources.list" >"$work/base.log" 2>&1 ||
        die "no base system: $(tail -n 3 "$work/base.log")"
}

# make_system NAME: a fresh one in WORK/NAME, with a clean clone.
make_system() {
    mkdir "$work/$1"
    tar -C "$work/$1" -xf "$work/base.tar"
    git clone -q --no-local "$root" "$work/$1$home"
}

# inside NAME COMMAND...: in the system of that name, with processes and mounts of its own, which end with the command.
inside() {
    local system=$work/$1
    shift
    # shellcheck disable=SC2016
    unshare --mount --pid --fork --kill-child bash -ec '
        system=$1
        shift
        mount --bind "$system" "$system"
        mount -t proc proc "$system/proc"
        mount -t sysfs sysfs "$system/sys"
        mount --rbind /dev "$system/dev"
        mount -t tmpfs -o mode=755 tmpfs "$system/run"
        chroot "$system" "$@"' bash "$system" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt ${TFT_PORT:+TFT_PORT="$TFT_PORT"} \
        ${TFT_DEMO_PORT:+TFT_DEMO_PORT="$TFT_DEMO_PORT"} "$@"
}

package() {
    inside newcomer "$home/tests/debian/build-package.sh" || return
    make_system buyer
    mkdir "$work/buyer/package"
    cp "$work"/newcomer/package/*.deb "$work/buyer/package/" || return
    inside buyer "$home/tests/debian/use-package.sh"
}

run_stage() {
    case $1 in
    package) package ;;
    *) inside newcomer "$home/tests/debian/$1.sh" ;;
    esac
}

# Times a stage. The lines that are worth keeping begin with "== "; all of its output only when it fails.
stage() {
    local start=$SECONDS result=passed
    run_stage "$1" >"$work/$1.log" 2>&1 || result=FAILED
    if [[ $result == FAILED ]]; then
        failed=1
        tail -n 100 "$work/$1.log"
    fi
    sed -n 's/^== /    /p' "$work/$1.log"
    printf '%-8s %s, %d s\n' "$1" "$result" $((SECONDS - start))
}

work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf --one-file-system "$work"' EXIT
failed=0
install_packages package
make_base
make_system newcomer
say "Debian $debian, commit $(git -C "$root" rev-parse --short HEAD)"
for stage in "$@"; do
    stage "$stage"
done
exit "$failed"

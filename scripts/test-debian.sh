#!/bin/bash
# SPDX-License-Identifier: MIT
# Tests what a newcomer sees on a fresh Debian, and what the package does there, with the last commit. Needs root, mmdebstrap and
# the mirror that this machine's apt uses. The systems share this machine's network, so nothing else may listen on the dashboard's
# ports.
#
#   scripts/test-debian.sh 12|13 [STAGE]...      without a stage: all, in this order; the stages of one call share a system
#     start    runs ./start_all.sh in a clean clone, with nothing but git and ca-certificates installed, and feeds every
#              recorded answer of a daemon to the program that it has built
#     tests    runs ./run_tests.sh, and the tests that use Redis again with each compatible server in this Debian
#     package  builds the package twice, which must give the same bytes, checks it, and installs, upgrades, removes and
#              purges it in another fresh system
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

# Lines for sources.list: this machine's Debian sources, with the other codename.
archive() {
    if [[ -n ${TFT_DEBIAN_MIRROR:-} ]]; then
        echo "deb $TFT_DEBIAN_MIRROR $codename main"
        return
    fi
    # shellcheck disable=SC2016 # apt's variables
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) main' 'Created-By: Packages' 'Origin: Debian' | sort -u |
        sed "s/ $(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)/ $codename/"
}

# Makes the archive that each system is unpacked from. This machine may need its own certificate authorities to reach the mirrors.
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

# make_system NAME: makes a fresh one in WORK/NAME, with a clean clone.
make_system() {
    mkdir "$work/$1"
    tar -C "$work/$1" -xf "$work/base.tar"
    git clone -q --no-local "$root" "$work/$1$home"
}

# inside NAME COMMAND...: runs it in that system, in its own process and mount namespaces, which end with the command.
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
    make_system installation
    mkdir "$work/installation/package"
    cp "$work"/newcomer/package/*.deb "$work/installation/package/" || return
    inside installation "$home/tests/debian/use-package.sh"
}

run_stage() {
    case $1 in
    package) package ;;
    *) inside newcomer "$home/tests/debian/$1.sh" ;;
    esac
}

# Times a stage. Prints only the lines that begin with "== ", and the last 100 lines if the stage fails.
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

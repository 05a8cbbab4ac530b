#!/bin/bash
# SPDX-License-Identifier: MIT
# test-package.sh: builds the Debian package from a release tarball and installs, upgrades, removes and purges it in a
# fresh system, which is fetched from the mirror that this machine's apt uses. Needs root and the mirror, so it is no part of
# run_tests.sh.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT

build_package() {
    copy_sources "$work"
    "$work/src/autogen.sh"
    cd "$work/obj"
    ../src/configure
    make -j2
    make dist
    tar -C "$work" -xf tft-dashboard-*.tar.xz
    cp tft-dashboard-*.tar.xz "$work/"
    cd "$work"/tft-dashboard-*/
    dpkg-buildpackage -b -us -uc
}

# The same package with a higher version: an upgrade that changes nothing else.
make_upgrade() {
    dpkg-deb -R "$work"/tft-dashboard_*.deb "$work/upgrade"
    sed -i 's/^Version: .*/&+upgrade/' "$work/upgrade/DEBIAN/control"
    # And one conffile as a new version would change it.
    echo '# new' >>"$work/upgrade/etc/tft-dashboard/nginx/tft-l1.conf"
    (cd "$work/upgrade" && md5sum etc/tft-dashboard/nginx/tft-l1.conf >>DEBIAN/md5sums)
    dpkg-deb --root-owner-group -b "$work/upgrade" "$work/upgrade.deb"
}

write_checks() {
    cat >"$work/checks" <<'CHECKS'
set -eux
export DEBIAN_FRONTEND=noninteractive
cd /package
apt-get install -q -y --no-install-recommends ./tft-dashboard_*.deb
id tft-dashboard
tft-dashboard --check
tft-dashboard --version
test "$(systemctl is-enabled tft-dashboard.target)" = enabled
test "$(systemctl is-enabled tft-dashboard.socket)" = enabled
setpriv --reuid tft-dashboard --regid tft-dashboard --clear-groups tft-dashboard --print-config >/dev/null

sed -i 's/^#interval = .*/interval = 45s/' /etc/tft-dashboard/tft-dashboard.conf
apt-get install -q -y --no-install-recommends ./upgrade.deb
grep -q '^interval = 45s' /etc/tft-dashboard/tft-dashboard.conf
tft-dashboard --print-config | grep -q '^cache.interval = 45s'
grep -q '^# new' /etc/tft-dashboard/nginx/tft-l1.conf

apt-get remove -q -y tft-dashboard
test ! -e /usr/sbin/tft-dashboard
grep -q '^interval = 45s' /etc/tft-dashboard/tft-dashboard.conf
apt-get purge -q -y tft-dashboard
test ! -e /etc/tft-dashboard
test -z "$(find / -xdev -name '*tft-dashboard*' -not -path '/proc/*' -not -path '/package/*' -not -path '/var/cache/*' \
    -not -path '/var/log/*' | tee /dev/stderr)"
CHECKS
}

install_packages build package
build_package
lintian --fail-on error,warning "$work"/tft-dashboard_*.changes
make_upgrade
write_checks
mkdir "$work/package"
cp "$work"/tft-dashboard_*.deb "$work/upgrade.deb" "$work/checks" "$work/package/"
# shellcheck disable=SC2016 # $1 is the new system's root, for mmdebstrap
mmdebstrap --variant=apt --aptopt='Apt::Install-Recommends "false"' --include=systemd,util-linux \
    --customize-hook="copy-in $work/package /" --customize-hook='chroot "$1" sh /package/checks' \
    "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" /dev/null /etc/apt/sources.list.d/debian.sources
echo "The package installs, upgrades, leaves and cleans up as it should."

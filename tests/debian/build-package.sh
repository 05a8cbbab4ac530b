#!/bin/bash
# SPDX-License-Identifier: MIT
# First half of stage `package` of scripts/test-debian.sh, inside the fresh system: the release tarball, and from it the
# package, twice. Leaves it in /package, with a newer one of the same contents but for one configuration file.
set -euxo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=scripts/common.sh
. scripts/common.sh
install_packages build package

work=$(mktemp -d)
copy_sources "$work"
cd "$work/obj"
../src/autogen.sh
../src/configure
make -j2
make dist
version=$(sed -n 's/^PACKAGE_VERSION = //p' Makefile)

# build DIR: from the tarball, as README says; with the source package, so that lintian sees its files.
build() {
    mkdir "$1"
    cp "$work/obj/tft-dashboard-$version.tar.xz" "$1/tft-dashboard_$version.orig.tar.xz"
    tar -C "$1" -xf "$1/tft-dashboard_$version.orig.tar.xz"
    (cd "$1/tft-dashboard-$version" && dpkg-buildpackage -us -uc)
}

# The second build has another directory, time, time zone, locale and umask.
build "$work/one"
(
    umask 077
    export TZ=Pacific/Kiritimati LC_ALL=C.UTF-8
    build "$work/a-second-place"
)
cmp "$work"/one/tft-dashboard_*.deb "$work"/a-second-place/tft-dashboard_*.deb
echo "== two builds, one package: $(sha256sum <"$work"/one/tft-dashboard_*.deb | cut -c 1-16)"

# Any remark fails the stage. One is suppressed: the package is for two Debian releases and names the older one's standards.
lintian --suppress-tags out-of-date-standards-version -EvIL +pedantic --fail-on error,warning,info,pedantic,experimental "$work"/one/*.changes
echo "== $(lintian --version): no remark"

mkdir /package
cp "$work"/one/tft-dashboard_*.deb /package/
dpkg-deb -R "$work"/one/tft-dashboard_*.deb "$work/upgrade"
sed -i 's/^Version: .*/&+upgrade/' "$work/upgrade/DEBIAN/control"
echo '# new' >>"$work/upgrade/etc/tft-dashboard/nginx/tft-l1.conf"
dpkg-deb --root-owner-group -b "$work/upgrade" /package/upgrade.deb

#!/bin/bash
# SPDX-License-Identifier: MIT
# Second half of stage `package` of scripts/test-debian.sh, inside another fresh system: what is in /package is installed as
# doc/operations.md says, upgraded, removed and purged. No systemd runs here.
set -euxo pipefail
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
cd /package

apt-get update -q
apt-get install -q -y --no-install-recommends ./tft-dashboard_*.deb nginx systemd
id tft-dashboard
tft-dashboard --check
test "$(systemctl is-enabled tft-dashboard.target)" = enabled
test "$(systemctl is-enabled tft-dashboard.socket)" = enabled
setpriv --reuid tft-dashboard --regid tft-dashboard --clear-groups tft-dashboard --print-config >/dev/null
install -m 640 -o root -g tft-dashboard /dev/stdin /etc/tft-dashboard/api.key <<<'the-key'
cp /usr/share/doc/tft-dashboard/examples/nginx/plain.conf /etc/nginx/conf.d/tft-dashboard.conf
nginx -t
test -x /usr/lib/nagios/plugins/check_tft -a -r /usr/share/tft-dashboard/prometheus/rules.yml -a -r /usr/share/tft-dashboard/grafana/dashboard.json
echo "== installed $(dpkg-query -W tft-dashboard)"

sed -i 's/^#interval = .*/interval = 45s/' /etc/tft-dashboard/tft-dashboard.conf
sed -i '1s/^/# ours\n/' /etc/tft-dashboard/nginx/tft-headers.conf
apt-get install -q -y --no-install-recommends ./upgrade.deb
grep -q '^interval = 45s' /etc/tft-dashboard/tft-dashboard.conf
tft-dashboard --print-config | grep -q '^cache.interval = 45s'
grep -q '^# new' /etc/tft-dashboard/nginx/tft-l1.conf
grep -q '^# ours' /etc/tft-dashboard/nginx/tft-headers.conf
nginx -t
echo "== upgraded to $(dpkg-query -W tft-dashboard), changed configuration kept"

apt-get remove -q -y tft-dashboard
test ! -e /usr/sbin/tft-dashboard
grep -q '^interval = 45s' /etc/tft-dashboard/tft-dashboard.conf
nginx -t
apt-get purge -q -y tft-dashboard
nginx -t
left=$(find / -xdev -name '*tft-dashboard*' -not -path '/package/*' -not -path '/srv/*' -not -path '/var/log/nginx/*')
test -z "$left"
echo "== removed and purged, nothing left, nginx starts"

#!/bin/sh
# A volunteer wanted the bookmarks to stay, and gave the account a home on the disk.
# breaks: test_its_home_is_made_for_a_visit_and_gone_after
# breaks: test_what_a_visitor_runs_ends_with_the_visit
set -eu
settings=/var/lib/kitsurvie/public_access/settings.json
home=$(sed -n 's/.*"home": "\(.*\)",*/\1/p' "$settings")
uid=$(sed -n 's/.*"uid": \([0-9]*\).*/\1/p' "$settings")
rm -r "/etc/systemd/system/user-runtime-dir@$uid.service.d"
chown "$uid:$uid" "$home"
chmod 755 "$home"
echo bookmarks >"$home/bookmarks.html"
printf '[Login]\nUserStopDelaySec=1h\n' >/etc/systemd/logind.conf.d/zzzz-volunteer.conf
systemctl daemon-reload
systemctl kill --signal=HUP systemd-logind.service
sleep 1

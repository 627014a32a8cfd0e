#!/bin/sh
# What an administrator does: a backup is made, and made again each night. The lab declares it so:
#   backup_seen__proofs: [{unit: site-backup.service}, {marker: /var/lib/site-backup/last}]
set -eu
rm -rf /etc/systemd/system/site-backup.service.d
mkdir -p /var/lib/site-backup
cat >/etc/systemd/system/site-backup.service <<'UNIT'
[Unit]
Description=Backup of the site

[Service]
Type=oneshot
ExecStart=/bin/tar -cf /var/lib/site-backup/site.tar -C /etc hostname hosts
ExecStart=/bin/touch /var/lib/site-backup/last
UNIT
cat >/etc/systemd/system/site-backup.timer <<'UNIT'
[Unit]
Description=Backup of the site, each night

[Timer]
OnCalendar=*-*-* 02:00:00

[Install]
WantedBy=timers.target
UNIT
systemctl daemon-reload
systemctl --quiet enable --now site-backup.timer
systemctl start site-backup.service

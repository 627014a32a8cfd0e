#!/bin/sh
# The disk at the other end is full: the backup runs, and fails.
# breaks: test_the_last_backup_went_well
set -eu
mkdir -p /etc/systemd/system/site-backup.service.d
printf '[Service]\nExecStart=\nExecStart=/bin/false\n' >/etc/systemd/system/site-backup.service.d/full.conf
systemctl daemon-reload
systemctl start site-backup.service || true

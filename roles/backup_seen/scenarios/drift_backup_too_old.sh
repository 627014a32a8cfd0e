#!/bin/sh
# The backup stopped forty days ago, and nobody noticed.
# breaks: test_a_recent_backup_exists
set -eu
touch -d '40 days ago' /var/lib/site-backup/last

#!/bin/sh
# The messages about a dying disk were silenced.
# breaks: test_the_disks_are_watched
set -eu
systemctl disable smartmontools.service

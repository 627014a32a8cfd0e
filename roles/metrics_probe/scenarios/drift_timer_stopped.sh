#!/bin/sh
# Somebody made the fan quieter by stopping what runs every quarter of an hour.
# breaks: test_it_reads_by_itself
set -eu
systemctl disable --now kitsurvie-probe.timer

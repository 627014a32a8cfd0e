#!/bin/sh
# The server was slow one night, and somebody stopped the scan for good.
# breaks: test_the_scan_is_planned_each_night
set -eu
systemctl --quiet disable --now kitsurvie-antivirus.timer

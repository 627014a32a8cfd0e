#!/bin/sh
# An installer masked the timer so as to have apt to itself, and never gave it back.
# breaks: test_the_daily_timers_run
set -eu
systemctl --quiet disable --now apt-daily-upgrade.timer
systemctl --quiet mask apt-daily-upgrade.timer

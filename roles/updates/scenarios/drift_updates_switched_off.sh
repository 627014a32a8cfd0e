#!/bin/sh
# Someone was tired of the updates and switched them off where the settings are.
# breaks: test_updates_are_looked_for_and_installed_every_day
set -eu
sed -i 's/^APT::Periodic::Unattended-Upgrade .*/APT::Periodic::Unattended-Upgrade "0";/' /etc/apt/apt.conf.d/zzz-kitsurvie

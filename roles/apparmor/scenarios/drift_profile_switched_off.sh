#!/bin/sh
# The profile of one program was in the way of a migration one evening.
# breaks: test_no_profile_is_switched_off_undeclared
set -eu
mkdir -p /etc/apparmor.d/disable
ln -sf /etc/apparmor.d/nvidia_modprobe /etc/apparmor.d/disable/nvidia_modprobe

#!/bin/sh
# A supplier asked for a profile to be silenced while they tried something.
# breaks: test_no_profile_was_set_to_complain_undeclared
set -eu
mkdir -p /etc/apparmor.d/force-complain
ln -sf /etc/apparmor.d/nvidia_modprobe /etc/apparmor.d/force-complain/nvidia_modprobe

#!/bin/sh
# Somebody found that the safe locks itself too often.
# breaks: test_a_new_safe_locks_itself
set -eu
sed -i 's/^LockDatabaseIdle=.*/LockDatabaseIdle=false/' /etc/skel/.config/keepassxc/keepassxc.ini

#!/bin/sh
# A supplier was given a password, for its account only, in a file of its own.
# breaks: test_no_exception_opens_the_door
set -eu
printf 'Match User supplier\n    PasswordAuthentication yes\n' >/etc/ssh/sshd_config.d/50-supplier.conf
systemctl reload ssh

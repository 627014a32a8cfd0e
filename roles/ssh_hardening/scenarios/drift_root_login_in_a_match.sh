#!/bin/sh
# A backup program was let in as root, from anywhere, in a block at the end of the file.
# breaks: test_root_cannot_log_in_from_afar
set -eu
printf '\nMatch User root\n    PermitRootLogin prohibit-password\n' >>/etc/ssh/sshd_config
systemctl reload ssh

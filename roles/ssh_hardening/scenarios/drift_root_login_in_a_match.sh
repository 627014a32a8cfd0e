#!/bin/sh
# A backup program was let in as root, from anywhere, in a block at the end of the file.
# breaks: test_root_cannot_log_in_from_afar
# breaks: test_no_exception_opens_the_door
set -eu
printf '\nMatch User root\n    PermitRootLogin prohibit-password\n' >>/etc/ssh/sshd_config
systemctl reload ssh

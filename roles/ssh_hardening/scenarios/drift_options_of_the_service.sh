#!/bin/sh
# Passwords were given back for a move, as an option of the service, where no file shows it.
# breaks: test_no_password_opens_the_door
# breaks: test_no_exception_opens_the_door
set -eu
sed -i '/^SSHD_OPTS=/d' /etc/default/ssh
echo 'SSHD_OPTS="-o PasswordAuthentication=yes"' >>/etc/default/ssh
systemctl restart ssh

#!/bin/sh
# A supplier wanted in, and someone put passwords back at the very top of sshd_config.
# breaks: test_no_password_opens_the_door
set -eu
sed -i '1i PasswordAuthentication yes' /etc/ssh/sshd_config
systemctl reload ssh

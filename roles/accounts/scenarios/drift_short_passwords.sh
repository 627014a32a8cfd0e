#!/bin/sh
# Passwords were found too long at the town hall.
# breaks: test_new_passwords_must_be_strong
set -eu
sed -i 's/^minlen = .*/minlen = 6/' /etc/security/pwquality.conf
pam-auth-update --package --disable pwquality

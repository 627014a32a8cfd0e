#!/bin/sh
# A key nobody declared was added to an administrator's account.
# breaks: test_every_administrator_has_an_account_and_the_right_keys
set -eu
name=$(sed -n 's/^\([a-z_][a-z0-9_.-]*\) ALL=.*/\1/p' /etc/sudoers.d/00-kitsurvie | head -n 1)
home=$(getent passwd "$name" | cut -d: -f6)
key=$(mktemp -u)
ssh-keygen -q -t ed25519 -N '' -C 'a key from elsewhere' -f "$key"
cat "$key.pub" >>"$home/.ssh/authorized_keys"
rm -f "$key" "$key.pub"

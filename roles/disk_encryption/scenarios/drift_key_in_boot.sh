#!/bin/sh
# Tired of the passphrase, somebody put the key on the part of the disk that starts in clear.
# breaks: test_no_key_lies_beside_the_lock
set -eu
mkdir -p /boot
echo 0123456789abcdef >/boot/system.key
chmod 400 /boot/system.key
echo 'system UUID=00000000-0000-0000-0000-000000000000 /boot/system.key luks,noauto' >>/etc/crypttab

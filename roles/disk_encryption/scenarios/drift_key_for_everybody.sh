#!/bin/sh
# A second disk opens by itself, with a key that every account can read.
# breaks: test_no_key_lies_beside_the_lock
set -eu
echo 0123456789abcdef >/etc/archives.key
chmod 644 /etc/archives.key
echo 'archives UUID=00000000-0000-0000-0000-000000000000 /etc/archives.key luks,noauto' >>/etc/crypttab

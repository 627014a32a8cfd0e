#!/bin/sh
# Somebody wanted to try the account by hand, and gave it a key that opens everything.
# breaks: test_its_keys_may_only_look
set -eu
echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDRhdGVtcG9yYXJ5a2V5b2ZhdGVjaG5pY2lhbjEy trial' \
    >>/var/lib/kitsurvie/observer/.ssh/authorized_keys

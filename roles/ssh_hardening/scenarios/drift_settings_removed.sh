#!/bin/sh
# A reinstallation of the package "as it was" took our settings away.
# breaks: test_the_encryption_is_strong
# breaks: test_keys_are_read_in_one_place_only
set -eu
rm /etc/ssh/sshd_config.d/00-kitsurvie.conf
systemctl reload ssh

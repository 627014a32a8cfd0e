#!/bin/sh
# A backup script was given access to everything below /var/lib.
# breaks: test_its_key_is_closed_to_everybody_else
set -eu
chmod 755 /var/lib/kitsurvie/self_observation
chmod 644 /var/lib/kitsurvie/self_observation/key

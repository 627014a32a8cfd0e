#!/bin/sh
# A backup script was given access to everything below /etc.
# breaks: test_sensitive_files_are_closed
set -eu
chmod a+r /etc/shadow /etc/ssh/ssh_host_ed25519_key
systemctl start kitsurvie-filesystem-hygiene.service

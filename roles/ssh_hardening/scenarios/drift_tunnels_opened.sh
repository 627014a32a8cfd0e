#!/bin/sh
# Tunnels were opened "for an afternoon" in the kit's own file.
# breaks: test_a_session_is_no_tunnel
set -eu
sed -i 's/^allowtcpforwarding .*/allowtcpforwarding yes/' /etc/ssh/sshd_config.d/00-kitsurvie.conf
systemctl reload ssh

#!/bin/sh
# Another supplier tried to have the PC report to a server of its own, whose key nobody looks at.
# breaks: test_it_hands_in_to_the_control_node_and_nobody_else
set -eu
cd /var/lib/kitsurvie/self_observation
sed -i 's/HostName .*/HostName 192.0.2.66/; s/StrictHostKeyChecking yes/StrictHostKeyChecking accept-new/' ssh_config

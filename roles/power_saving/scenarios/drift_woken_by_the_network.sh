#!/bin/sh
# A tool of a supplier has every message of the network wake the machine.
# breaks: test_the_network_wakes_it_only_where_declared
set -eu
sed -i 's/^WakeOnLan=.*/WakeOnLan=unicast/' /etc/systemd/network/99-default.link.d/kitsurvie-power.conf

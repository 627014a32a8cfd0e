#!/bin/sh
# An old camera needs its port, and the line that shut it was taken out.
# breaks: test_the_ports_that_read_the_memory_are_shut
set -eu
sed -i '/firewire-ohci/d' /etc/modprobe.d/kitsurvie-removable-media.conf

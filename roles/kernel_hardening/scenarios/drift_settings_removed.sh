#!/bin/sh
# Our file went with a clean-up of /etc; nothing shows until the next start.
# breaks: test_the_protections_come_back_at_every_start
set -eu
rm /etc/sysctl.d/zzz-kitsurvie.conf

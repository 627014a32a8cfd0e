#!/bin/sh
# A technician's long look at a log was cut off.
# breaks: test_a_shell_at_which_nobody_types_is_closed
set -eu
rm -f /etc/profile.d/kitsurvie-idle.sh

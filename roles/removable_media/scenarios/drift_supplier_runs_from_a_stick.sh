#!/bin/sh
# A supplier's key carries its program, and the rule that stood in its way was commented out.
# breaks: test_no_program_starts_from_a_stick
set -eu
sed -i 's/^SUBSYSTEM/#&/' /etc/udev/rules.d/zz-kitsurvie-removable.rules

#!/bin/sh
# Somebody wants to choose at each stick, and lets exec be asked for again.
# breaks: test_no_program_starts_from_a_stick
set -eu
sed -i 's/ALLOW}="noexec/ALLOW}="exec,noexec/' /etc/udev/rules.d/zz-kitsurvie-removable.rules

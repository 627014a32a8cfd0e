#!/bin/sh
# A supplier looked for the fault of its program, and left every crash to be kept.
# breaks: test_a_program_that_crashes_leaves_no_memory_behind
set -eu
echo '* hard core unlimited' >/etc/security/limits.d/zzzz-supplier.conf
printf '[Manager]\nDefaultLimitCORE=infinity\n' >/etc/systemd/system.conf.d/zzzz-supplier.conf
systemctl daemon-reload

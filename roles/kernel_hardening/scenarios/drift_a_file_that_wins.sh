#!/bin/sh
# A supplier's installer wants a router and an old debugger, in a file that is read after ours.
# breaks: test_the_protections_come_back_at_every_start
# breaks: test_no_other_file_says_otherwise
set -eu
printf '# by the installer\nnet.ipv4.ip_forward=1\nkernel/yama/ptrace_scope = 0\nvm.swappiness = 10\n' \
    >/etc/sysctl.d/zzzz-supplier.conf

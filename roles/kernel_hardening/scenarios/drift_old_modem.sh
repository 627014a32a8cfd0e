#!/bin/sh
# The tool of an old modem wanted its line discipline loaded without asking for anything.
# breaks: test_the_protections_come_back_at_every_start
# breaks: test_no_other_file_says_otherwise
set -eu
echo 'dev.tty.ldisc_autoload = 1' >/etc/sysctl.d/zzzz-modem.conf

#!/bin/sh
# A script did not like a rule of sudo, and the rule went.
# breaks: test_sudo_takes_care
set -eu
sed -i 's/^Defaults use_pty$/Defaults !use_pty/' /etc/sudoers.d/00-kitsurvie

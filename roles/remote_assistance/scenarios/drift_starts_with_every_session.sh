#!/bin/sh
# So as "not to have to click", assistance was made to start with every session.
# breaks: test_help_starts_only_when_asked
set -eu
printf '\n[Install]\nWantedBy=default.target\n' >>/etc/systemd/user/kitsurvie-assistance.service
systemctl --global enable kitsurvie-assistance.service

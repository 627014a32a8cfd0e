#!/bin/sh
# PAM was put back as its package brings it, to get rid of a fault that came from elsewhere.
# breaks: test_new_files_are_private
set -eu
cp /usr/share/pam/common-session /usr/share/pam/common-session-noninteractive /etc/pam.d/
DEBIAN_FRONTEND=noninteractive pam-auth-update --force

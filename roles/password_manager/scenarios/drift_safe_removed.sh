#!/bin/sh
# The safe was removed, and the settings of new accounts with it.
# breaks: test_the_safe_is_installed
# breaks: test_a_copied_password_does_not_stay
set -eu
DEBIAN_FRONTEND=noninteractive apt-get -qq remove 'keepassxc.*'
rm -rf /etc/skel/.config

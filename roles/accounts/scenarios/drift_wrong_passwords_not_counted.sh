#!/bin/sh
# Somebody was kept out for a quarter of an hour on a Monday morning, and it was made to stop.
# breaks: test_wrong_passwords_close_an_account_for_a_while
set -eu
DEBIAN_FRONTEND=noninteractive pam-auth-update --package --disable kitsurvie-faillock kitsurvie-faillock-notify
sed -i 's/^deny = .*/deny = 99/' /etc/security/faillock.conf

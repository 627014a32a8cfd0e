#!/bin/sh
# Somebody could not get in from afar, and gave the account a password and a right.
# breaks: test_the_account_has_no_password_and_no_rights
set -eu
account=$(sed -n 's/.*"account": "\(.*\)",*/\1/p' /var/lib/kitsurvie/public_access/settings.json)
echo "$account:$account" | chpasswd
usermod -a -G adm "$account"

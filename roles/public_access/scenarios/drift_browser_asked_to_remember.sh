#!/bin/sh
# The installer of a supplier wrote its own policies, and the rules of PAM were made anew.
# breaks: test_the_browser_remembers_nothing
# breaks: test_visitors_come_in_at_the_screen_alone
set -eu
echo '{"policies": {"PasswordManagerEnabled": true, "PopupBlocking": {"Default": false}}}' \
    >/etc/firefox/policies/policies.json
DEBIAN_FRONTEND=noninteractive pam-auth-update --package --disable kitsurvie-public-access

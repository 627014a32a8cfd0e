#!/bin/sh
# The French of the browser was removed to gain room, and a hand slipped in the policies.
# breaks: test_the_browser_is_installed
# breaks: test_the_browser_opens_on_the_chosen_page
set -eu
DEBIAN_FRONTEND=noninteractive apt-get -qq remove firefox-esr-l10n-fr
sed -i '0,/,$/s///' /etc/firefox/policies/policies.json

#!/bin/sh
# A copied image of the system brought its own language and keyboard.
# breaks: test_french_is_the_language_by_default
# breaks: test_the_keyboard_is_the_right_one
set -eu
printf 'LANG=en_US.UTF-8\n' >"$(readlink -f /etc/default/locale)"
sed -i 's/^XKBLAYOUT=.*/XKBLAYOUT="us"/' /etc/default/keyboard

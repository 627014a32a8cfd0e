#!/bin/sh
# Somebody tidied the menu.
# breaks: test_the_menu_lets_people_ask_for_help
set -eu
rm /usr/share/applications/kitsurvie-assistance.desktop

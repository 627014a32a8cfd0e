#!/bin/sh
# Somebody tidied the menu, and the page can no longer be found.
# breaks: test_the_menu_opens_the_page
set -eu
rm /usr/share/applications/kitsurvie-contact.desktop

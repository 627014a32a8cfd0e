#!/bin/sh
# Everybody was given every right on the program "so that it works".
# breaks: test_nobody_else_can_change_what_asks
set -eu
chmod 777 /usr/lib/kitsurvie/assistance

#!/bin/sh
# A colleague could not log in, and somebody stopped what was in the way.
# breaks: test_somebody_watches_the_door
set -eu
systemctl --quiet disable --now fail2ban

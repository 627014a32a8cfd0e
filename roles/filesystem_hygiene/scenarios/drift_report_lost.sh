#!/bin/sh
# The disk was full, and somebody made room below /var/lib.
# breaks: test_the_last_look_is_recent_and_whole
set -eu
rm -f /var/lib/kitsurvie/filesystem_hygiene/*.json

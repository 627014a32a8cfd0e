#!/bin/sh
# The disk was full, and somebody made room below /var/lib.
# breaks: test_the_list_of_what_is_asked_is_there
set -eu
rm -f /var/lib/kitsurvie/self_observation/commands.json

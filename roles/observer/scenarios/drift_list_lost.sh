#!/bin/sh
# The disk was full, and somebody made room below /var/lib.
# breaks: test_the_list_of_what_may_be_asked_is_there
set -eu
rm -rf /var/lib/kitsurvie/observer/commands

#!/bin/sh
# Somebody added a line to see more, and it ends in an error.
# breaks: test_what_reads_is_what_the_kit_brought
set -eu
echo 'import logins' >> /usr/local/lib/kitsurvie/kitsurvie_probe.py

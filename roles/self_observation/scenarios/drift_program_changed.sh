#!/bin/sh
# Somebody looked for what made the disk turn at 8, and let the program do nothing.
# breaks: test_what_looks_is_what_the_kit_brought
set -eu
echo 'raise SystemExit' >/usr/local/lib/kitsurvie/self_observation.py

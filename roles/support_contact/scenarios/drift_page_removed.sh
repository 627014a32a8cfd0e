#!/bin/sh
# The page went with a clean-up of the disk.
# breaks: test_the_page_says_who_to_call
set -eu
rm -rf /usr/share/kitsurvie

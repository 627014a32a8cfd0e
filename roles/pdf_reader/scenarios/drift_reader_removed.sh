#!/bin/sh
# The reader was removed to gain room.
# breaks: test_the_reader_is_installed
# breaks: test_the_reader_is_in_the_menu
set -eu
DEBIAN_FRONTEND=noninteractive apt-get -qq remove evince

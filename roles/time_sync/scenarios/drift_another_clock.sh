#!/bin/sh
# Someone prefers another program and installed it: ours was taken away without a word.
# breaks: test_one_program_alone_sets_the_clock
# breaks: test_the_clock_is_set_at_every_start
set -eu
DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install chrony >/dev/null 2>&1

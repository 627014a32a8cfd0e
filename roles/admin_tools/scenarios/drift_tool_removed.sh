#!/bin/sh
# Somebody made room on a full disk, and the tool to see what fills it went too.
# breaks: test_the_tools_are_installed
# breaks: test_the_tools_can_be_run
set -eu
DEBIAN_FRONTEND=noninteractive apt-get -qq remove ncdu tmux

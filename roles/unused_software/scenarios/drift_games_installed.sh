#!/bin/sh
# Somebody who may install software installed games, for the lunch break.
# breaks: test_nothing_that_nobody_needs_is_installed
set -eu
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends bsdgames >/dev/null

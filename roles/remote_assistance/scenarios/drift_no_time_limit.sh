#!/bin/sh
# The limit was in the way of a long afternoon, and somebody lifted it.
# breaks: test_help_ends_by_itself
set -eu
sed -i '/^RuntimeMaxSec=/d' /etc/systemd/user/kitsurvie-assistance.service

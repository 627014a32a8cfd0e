#!/bin/sh
# The disk was heard at noon, and somebody stopped what made it turn.
# breaks: test_the_machine_looks_after_its_files
set -eu
systemctl --quiet disable --now kitsurvie-filesystem-hygiene.timer

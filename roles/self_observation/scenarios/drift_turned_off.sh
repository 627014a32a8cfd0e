#!/bin/sh
# The PC was slow one morning, and somebody stopped whatever runs by itself.
# breaks: test_the_machine_looks_at_itself
set -eu
systemctl --quiet disable --now kitsurvie-self-observation.timer kitsurvie-hand-in.timer

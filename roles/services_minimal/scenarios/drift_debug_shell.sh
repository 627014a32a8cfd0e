#!/bin/sh
# A technician looked for a fault at startup, and left the door of the night open.
# breaks: test_units_that_are_not_to_run_are_stopped
set -eu
systemctl --quiet unmask debug-shell.service
systemctl --quiet enable debug-shell.service

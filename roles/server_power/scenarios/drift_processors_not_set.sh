#!/bin/sh
# A supplier wanted full speed for the time of a test.
# breaks: test_the_processors_are_set_at_every_start
set -eu
systemctl --quiet disable kitsurvie-cpu-governor.service

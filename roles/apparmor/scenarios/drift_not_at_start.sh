#!/bin/sh
# Somebody switched it off for a program that would not start, and never on again.
# breaks: test_the_profiles_are_loaded_at_every_start
set -eu
systemctl --quiet disable apparmor.service

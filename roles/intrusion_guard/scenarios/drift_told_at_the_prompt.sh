#!/bin/sh
# Bans of one second, told at the prompt for a test: no file shows it.
# breaks: test_who_insists_is_kept_away_for_a_while
set -eu
fail2ban-client set sshd bantime 1 >/dev/null

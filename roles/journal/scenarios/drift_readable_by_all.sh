#!/bin/sh
# A supplier's program wanted to read the journal, and was given what everybody then had.
# breaks: test_the_journal_is_not_for_everybody
set -eu
chmod -R o+r /var/log/journal

#!/bin/sh
# "Save the disk", said a forum: the journal was moved to memory, and the next restart forgets it.
# breaks: test_the_journal_is_kept_as_declared
# breaks: test_the_journal_outlives_a_restart
set -eu
printf '[Journal]\nStorage=volatile\n' >/etc/systemd/journald.conf.d/zzzz-disk.conf
rm -rf /var/log/journal
systemctl restart systemd-journald

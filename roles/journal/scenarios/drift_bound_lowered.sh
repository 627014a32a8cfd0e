#!/bin/sh
# The disk was nearly full one evening, and the journal was cut back for good in the kit's own file.
# breaks: test_the_journal_is_kept_as_declared
# breaks: test_the_journal_is_bounded_now
set -eu
sed -i 's/^SystemMaxUse=.*/SystemMaxUse=20M/' /etc/systemd/journald.conf.d/zzz-kitsurvie.conf
systemctl restart systemd-journald

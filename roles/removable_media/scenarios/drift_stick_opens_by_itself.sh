#!/bin/sh
# A user asked for sticks to open as they used to.
# breaks: test_a_stick_does_not_open_by_itself
set -eu
sed -i 's/^automount-open=.*/automount-open=true/' /etc/dconf/db/kitsurvie.d/50-removable_media

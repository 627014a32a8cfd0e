#!/bin/sh
# A supplier's installer could not write, and opened its folder and a file to everybody.
# breaks: test_folders_open_to_everybody_are_protected
# breaks: test_no_file_can_be_changed_by_everybody
set -eu
mkdir -p /var/lib/supplier
chmod 777 /var/lib/supplier
: >/var/lib/supplier/settings.ini
chmod 666 /var/lib/supplier/settings.ini
# the night passes
systemctl start kitsurvie-filesystem-hygiene.service

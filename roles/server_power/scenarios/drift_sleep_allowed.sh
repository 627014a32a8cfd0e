#!/bin/sh
# Somebody wanted to try hibernation on this machine, and left the setting so.
# breaks: test_the_server_cannot_be_put_to_sleep
set -eu
sed -i 's/^AllowHibernation=no/AllowHibernation=yes/' /etc/systemd/sleep.conf.d/zz-kitsurvie-server-power.conf

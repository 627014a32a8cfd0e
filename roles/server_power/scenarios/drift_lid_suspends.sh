#!/bin/sh
# An old laptop serves the files; somebody made its lid put it to sleep, as at home.
# breaks: test_neither_idleness_nor_a_lid_stops_it
set -eu
sed -i 's/^HandleLidSwitch=.*/HandleLidSwitch=suspend/' /etc/systemd/logind.conf.d/zz-kitsurvie-server-power.conf
systemctl kill --signal=HUP systemd-logind.service
# it answers again once it has read them
sleep 1

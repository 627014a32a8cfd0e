#!/bin/sh
# A presentation was to stay on the screen, and the machine has not slept since.
# breaks: test_an_idle_machine_goes_to_sleep
set -eu
sed -i 's/^IdleAction=.*/IdleAction=ignore/' /etc/systemd/logind.conf.d/zz-kitsurvie-power.conf
systemctl kill --signal=HUP systemd-logind.service
# it answers again once it has read them
sleep 1

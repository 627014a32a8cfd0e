#!/bin/sh
# A supplier had the machine listen to its own box, which has gone since.
# breaks: test_the_time_comes_from_the_chosen_servers
set -eu
sed -i 's/^NTP=[0-9a-z].*/NTP=192.0.2.123/' /etc/systemd/timesyncd.conf.d/zzz-kitsurvie.conf

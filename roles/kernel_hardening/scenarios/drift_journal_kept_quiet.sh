#!/bin/sh
# Forged addresses filled the journal; the word was taken away, and the forger not looked for.
# breaks: test_the_network_cannot_be_led_astray
# breaks: test_no_other_file_says_otherwise
set -eu
echo 'net.ipv4.conf.all.log_martians = 0' >/etc/sysctl.d/50-quiet.conf
for path in all default; do
    echo 0 >"/proc/sys/net/ipv4/conf/$path/log_martians"
done

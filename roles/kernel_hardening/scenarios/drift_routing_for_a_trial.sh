#!/bin/sh
# Packets were passed on for a trial, which also gives the redirects back to those who send them.
# breaks: test_the_network_cannot_be_led_astray
# breaks: test_no_other_file_says_otherwise
set -eu
echo 'net.ipv4.ip_forward = 1' >/etc/sysctl.d/10-trial.conf
echo 1 >/proc/sys/net/ipv4/ip_forward

#!/bin/sh
# An afternoon's trial with a second box, typed at the prompt and forgotten.
# breaks: test_the_network_cannot_be_led_astray
# breaks: test_no_interface_makes_an_exception
set -eu
for path in all lo; do
    echo 1 >"/proc/sys/net/ipv4/conf/$path/accept_redirects"
done
echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter

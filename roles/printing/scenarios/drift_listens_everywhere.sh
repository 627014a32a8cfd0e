#!/bin/sh
# A supplier of copiers opened the port by hand.
# breaks: test_printing_is_asked_from_this_machine_alone
set -eu
sed -i 's/^Listen localhost:631$/Listen *:631/' /etc/cups/cupsd.conf
systemctl restart cups

#!/bin/sh
# A supplier's own number took the place of ours on the screen.
# breaks: test_the_screens_say_who_to_call
set -eu
echo 'Maintenance : voir le fournisseur' >/etc/motd

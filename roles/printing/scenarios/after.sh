#!/bin/sh
# The printer is taken out of the room, and its queue with it.
set -eu
systemctl stop printer-at-the-counter
lpadmin -x accueil

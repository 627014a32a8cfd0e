#!/bin/sh
# The share was moved for a while, and its folder left out.
# breaks: test_the_declared_folders_are_looked_through
set -eu
echo /srv/old >/etc/kitsurvie-antivirus.paths

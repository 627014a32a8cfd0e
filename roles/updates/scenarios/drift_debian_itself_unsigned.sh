#!/bin/sh
# The clock was wrong, apt refused Debian's own archive, and a forum had the cure.
# breaks: test_every_source_is_signed
set -eu
sed -i 's/^URIs:.*/&\nTrusted: yes/' /etc/apt/sources.list.d/debian.sources

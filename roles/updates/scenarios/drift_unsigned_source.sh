#!/bin/sh
# A supplier left a source of packages that nobody signs.
# breaks: test_every_source_is_signed
set -eu
mkdir -p /srv/supplier
: >/srv/supplier/Packages
echo 'deb [trusted=yes] file:/srv/supplier ./' >/etc/apt/sources.list.d/supplier.list

#!/bin/sh
# A supplier of copiers wanted tftp, to fetch the scans.
# breaks: test_no_unwanted_package_is_installed
set -eu
DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends -y tftpd-hpa >/dev/null

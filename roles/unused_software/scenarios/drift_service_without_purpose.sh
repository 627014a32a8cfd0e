#!/bin/sh
# A package brought the service of a card that this machine does not have.
# breaks: test_no_service_starts_without_a_purpose
set -eu
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends wpasupplicant >/dev/null
systemctl --quiet enable wpa_supplicant.service

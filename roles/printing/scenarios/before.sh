#!/bin/sh
# A printer of the kind that town halls buy: it speaks IPP Everywhere, announces itself, prints nothing.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install -y --no-install-recommends cups-ipp-utils avahi-daemon >/dev/null
systemd-run -q --unit=printer-at-the-counter -p Restart=on-failure \
  ippeveprinter -n localhost -p 8631 -d /tmp Accueil
for _ in $(seq 30); do
  ipptool -q ipp://localhost:8631/ipp/print get-printer-attributes.test && exit 0
  sleep 1
done
exit 1

#!/bin/sh
# What comes from elsewhere: the list of threats (here one of the site, with one threat), and a person who
# took the harmful file away. The lab declares it so:
#   antivirus__wanted: true, antivirus__paths: [/srv/shares], antivirus__database: site
set -eu
[ -d /var/lib/clamav ] && [ -x /usr/local/sbin/kitsurvie-antivirus ] || exit 0
mkdir -p /srv/shares
rm -f /srv/shares/facture.doc
printf 'Kitsurvie.Test:0:*:%s\n' "$(printf kitsurvie-antivirus-test-file | od -An -tx1 | tr -d ' \n')" \
  >/var/lib/clamav/site.ndb
systemctl start kitsurvie-antivirus.service

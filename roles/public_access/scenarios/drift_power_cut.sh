#!/bin/sh
# The power went while somebody sat there, and a hand cleared rules that it did not know.
# breaks: test_nothing_of_former_visitors_is_left
# breaks: test_visitors_change_nothing_that_lasts
# breaks: test_the_journal_tells_visitors_nothing
set -eu
uid=$(sed -n 's/.*"uid": \([0-9]*\).*/\1/p' /var/lib/kitsurvie/public_access/settings.json)
mkdir -p /var/tmp/scan/deep
echo "carte d'identité" >"/var/tmp/scan/deep/a name
of two lines"
ln -s /etc/passwd /var/tmp/scan/link
chown -h -R "$uid:$uid" /var/tmp/scan
rm -f /etc/polkit-1/rules.d/00-kitsurvie-public-access.rules
echo 'SplitMode=uid' >>/etc/systemd/journald.conf.d/zz-kitsurvie-public-access.conf

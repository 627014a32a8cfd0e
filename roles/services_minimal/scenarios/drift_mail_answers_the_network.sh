#!/bin/sh
# A mail server was installed so that the copier can send its scans, and answers everybody.
# breaks: test_mail_is_for_the_machine_alone
set -eu
DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends -y exim4-daemon-light >/dev/null
sed -i "s/^dc_local_interfaces=.*/dc_local_interfaces=''/" /etc/exim4/update-exim4.conf.conf
update-exim4.conf
systemctl restart exim4

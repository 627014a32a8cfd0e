#!/bin/sh
# A line found on a forum, "to get rid of the signature error".
# breaks: test_apt_refuses_what_is_not_signed
set -eu
echo 'APT::Get::AllowUnauthenticated "true";' >>/etc/apt/apt.conf.d/zzz-kitsurvie

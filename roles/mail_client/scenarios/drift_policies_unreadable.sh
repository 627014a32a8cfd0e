#!/bin/sh
# The file of policies was edited by hand, and a comma was lost.
# breaks: test_the_mail_program_obeys_our_policies
set -eu
sed -i '0,/,$/s///' /etc/thunderbird/policies/policies.json

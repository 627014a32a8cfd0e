#!/bin/sh
# Somebody wanted to see the pictures of every newsletter.
# breaks: test_a_sender_does_not_learn_who_has_read
# breaks: test_the_mail_program_obeys_our_policies
set -eu
sed -i '/disable_remote_image/,/}/s/true/false/' /etc/thunderbird/policies/policies.json

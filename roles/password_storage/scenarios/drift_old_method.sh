#!/bin/sh
# An old directory wanted to read the passwords of the machine.
# breaks: test_a_new_password_is_kept_by_a_slow_method
# breaks: test_the_other_tools_keep_passwords_in_the_same_way
set -eu
sed -i '/^password.*pam_unix/s/ yescrypt.*/ md5/' /etc/pam.d/common-password
sed -i 's/^ENCRYPT_METHOD.*/ENCRYPT_METHOD MD5/' /etc/login.defs

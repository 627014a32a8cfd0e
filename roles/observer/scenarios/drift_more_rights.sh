#!/bin/sh
# A check was refused one night, and somebody made an administrator of the account to be quiet.
# breaks: test_the_account_has_no_password_and_no_group
# breaks: test_sudo_gives_it_one_program_without_arguments
set -eu
usermod -aG sudo kitsurvie-observer
usermod -p '$6$kitsurvie$zMEXMG1i9cMZ7mLlFycgxNX7VR4a56B9QjItGiRKpE1FNL5XeB0JFLNNwdPV0TkHCtG/BqYOcwoNV587.2h2O.' kitsurvie-observer

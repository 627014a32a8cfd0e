#!/bin/sh
# Somebody looked for a fault in the program, let it take any command, and left it so.
# breaks: test_the_program_is_the_one_of_the_kit
# breaks: test_nobody_but_root_can_change_what_limits_it
set -eu
sed -i 's/ in listed\]$/]/' /usr/lib/kitsurvie/observer/observe
chmod 777 /usr/lib/kitsurvie/observer

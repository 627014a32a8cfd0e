#!/bin/sh
# A supplier on the move was spared, and everybody with them, in a file that is read after ours.
# breaks: test_administrators_are_never_kept_away
# breaks: test_the_next_start_watches_as_well
set -eu
printf '[sshd]\nignoreip = 0.0.0.0/0 ::/0\n' >/etc/fail2ban/jail.d/zzzz-supplier.local
systemctl restart fail2ban
for second in 1 2 3 4 5 6 7 8 9 10; do fail2ban-client ping >/dev/null 2>&1 && break; sleep 1; done

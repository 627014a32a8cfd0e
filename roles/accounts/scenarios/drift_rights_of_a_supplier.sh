#!/bin/sh
# A supplier's installer gave its own account every right.
# breaks: test_nobody_else_administers_the_machine
set -eu
useradd --system --no-create-home supplier 2>/dev/null || true
echo 'supplier ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/90-supplier
chmod 440 /etc/sudoers.d/90-supplier

#!/bin/sh
# Someone opened a port "just for a test".
# breaks: test_only_the_declared_ports_are_open
set -eu
nft add rule inet kitsurvie input tcp dport 8080 accept

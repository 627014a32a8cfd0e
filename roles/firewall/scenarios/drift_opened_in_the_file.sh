#!/bin/sh
# A port was opened in the kit's own file; it would be open from the next start on.
# breaks: test_the_rules_of_the_next_start_are_those_in_force
set -eu
sed -i 's/policy drop;$/policy drop;\n    tcp dport 5900 accept/' /etc/nftables.d/kitsurvie.nft

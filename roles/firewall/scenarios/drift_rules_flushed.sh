#!/bin/sh
# A web page said to flush the rules when the network is slow.
# breaks: test_what_nobody_asked_for_is_refused
set -eu
nft flush ruleset

#!/bin/sh
# A printer was stopped after a paper jam, and nobody started it again.
# breaks: test_the_declared_printers_are_there
set -eu
first=$(LC_ALL=C lpstat -v | sed -n '1s/^device for \([^:]*\):.*/\1/p')
cupsdisable "$first"

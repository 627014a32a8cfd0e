#!/bin/sh
# A printer was deleted from the menu to "clean it up".
# breaks: test_the_declared_printers_are_there
set -eu
first=$(LC_ALL=C lpstat -v | sed -n '1s/^device for \([^:]*\):.*/\1/p')
lpadmin -x "$first"

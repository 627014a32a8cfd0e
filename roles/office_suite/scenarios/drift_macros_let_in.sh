#!/bin/sh
# A supplier whose sheet needs its macro had the level lowered for everybody.
# breaks: test_unknown_macros_do_not_run
set -eu
sed -i 's/\(MacroSecurityLevel\).*<value>2/\1"><value>0/' /usr/lib/libreoffice/share/registry/kitsurvie.xcd

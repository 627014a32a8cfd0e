#!/bin/sh
# A supplier put its name on the screens, and nothing that warns whoever has no business there.
# breaks: test_the_screens_say_that_access_is_reserved
# breaks: test_the_screens_say_who_to_call
set -eu
for file in /etc/issue /etc/issue.net; do
    echo 'Bienvenue sur votre serveur' >"$file"
done

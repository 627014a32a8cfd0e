#!/bin/sh
# Languages were cleaned away to gain room.
# breaks: test_the_languages_are_made
# breaks: test_the_languages_come_back_after_an_update
set -eu
sed -i 's/^fr_FR.UTF-8/# fr_FR.UTF-8/' /etc/locale.gen
locale-gen

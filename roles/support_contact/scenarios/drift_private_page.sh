#!/bin/sh
# The page is there, but only root may open it.
# breaks: test_anybody_may_read_it
set -eu
chmod 600 /usr/share/kitsurvie/contact.html

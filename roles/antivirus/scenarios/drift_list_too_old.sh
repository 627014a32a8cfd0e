#!/bin/sh
# The way to the list of threats was shut, sixty days ago.
# breaks: test_the_list_of_threats_is_recent
set -eu
touch -d '60 days ago' /var/lib/clamav/site.ndb

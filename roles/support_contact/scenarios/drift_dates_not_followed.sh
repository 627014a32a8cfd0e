#!/bin/sh
# A clean-up of "useless" services stopped what keeps the dates of the page.
# breaks: test_the_page_follows_what_is_applied
set -eu
systemctl disable --now kitsurvie-page.path

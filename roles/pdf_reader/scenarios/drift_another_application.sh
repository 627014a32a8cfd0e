#!/bin/sh
# The installer of another program made itself the one that opens a PDF.
# breaks: test_a_double_click_opens_the_reader
set -eu
sed -i 's/^application\/pdf=.*/application\/pdf=libreoffice-draw.desktop/' /etc/xdg/mimeapps.list

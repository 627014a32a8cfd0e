#!/bin/sh
# A supplier wrote its own advertisement at the end of the page.
# breaks: test_the_page_tells_the_last_changes
set -eu
echo '<p>Votre prestataire reste à votre service</p>' >>/usr/share/kitsurvie/contact.html

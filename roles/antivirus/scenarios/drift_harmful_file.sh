#!/bin/sh
# Somebody saved the attachment of a mail in the shared folder, and the night came.
# breaks: test_nothing_harmful_was_found
set -eu
echo 'kitsurvie-antivirus-test-file' >/srv/shares/facture.doc
systemctl start kitsurvie-antivirus.service

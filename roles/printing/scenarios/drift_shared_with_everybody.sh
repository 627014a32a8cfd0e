#!/bin/sh
# Somebody ticked "share the printers of this computer" with "print from the Internet".
# breaks: test_printing_is_asked_from_this_machine_alone
set -eu
cupsctl --remote-any --share-printers

#!/bin/sh
# The installer of a business application put its own policies in the place of ours.
# breaks: test_the_browser_obeys_our_policies
# breaks: test_only_declared_extensions_may_be_installed
set -eu
mkdir -p /etc/firefox/policies
cat >/etc/firefox/policies/policies.json <<'END'
{"policies": {"PopupBlocking": {"Allow": ["https://compta.example"]}, "DisableTelemetry": false}}
END

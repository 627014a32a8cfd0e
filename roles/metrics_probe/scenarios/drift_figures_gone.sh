#!/bin/sh
# The folder of the figures was cleaned up, and cannot be written to any more.
# breaks: test_there_are_figures
set -eu
rm -f /var/lib/prometheus/node-exporter/kitsurvie_probe.prom

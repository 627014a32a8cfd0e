#!/bin/sh
# A trial of another monitoring let everybody read the figures.
# breaks: test_the_figures_are_read_by_nobody_else
set -eu
sed -i 's/--web.listen-address=[^ ]*/--web.listen-address=:9100/; /^IPAddress/d' \
    /etc/systemd/system/prometheus-node-exporter.service.d/kitsurvie.conf
systemctl daemon-reload
systemctl restart prometheus-node-exporter.service
# it listens once it has started
sleep 1

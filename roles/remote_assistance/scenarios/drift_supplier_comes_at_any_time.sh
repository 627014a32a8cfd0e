#!/bin/sh
# A supplier installed its own VNC server, which starts with the machine and asks nobody.
# breaks: test_nothing_lets_somebody_in_at_any_time
set -eu
cat >/etc/systemd/system/x11vnc.service <<'END'
[Unit]
Description=Supplier

[Service]
ExecStart=/usr/bin/sleep infinity

[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl enable --now x11vnc.service

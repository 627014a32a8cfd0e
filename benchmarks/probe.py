"""What a reading of the probe costs beside node_exporter, by systemd's own accounting.

    python -m benchmarks.probe [--readings 40] [--watch-s 300] [--release trixie]

As root. One lab machine with the measure metrics_probe. The probe's service is started
`--readings` times and its CPUUsageNSec read after each; node_exporter, as the measure sets it up
and then with Debian's own settings, is scraped every 15 s for `--watch-s` seconds and its
CPUUsageNSec read before and after. Both are scaled to an hour: 4 readings, 240 scrapes. The peer
does other work too, so this compares what either costs a machine, not how well it is written. In a
container the probe has no sensor to read; reading those costs some files more.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

from benchmarks.footprint import apply, cpu_of, sh
from benchmarks.machines import fleet_up, network, prefix_for
from kitsurvie import kit, lab
from kitsurvie.model import Profile
from kitsurvie.workspace import shipped

SERVICE, PEER = "kitsurvie-probe.service", "prometheus-node-exporter.service"
READINGS_PER_H, SCRAPE_S, HOUR_S = 4, 15, 3600
# everything Debian's own settings collect, for comparison
PLAIN = (
    "mkdir -p /run/systemd/system/prometheus-node-exporter.service.d && "
    "printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/prometheus-node-exporter "
    "--web.listen-address=127.0.0.1:9100\\n' "
    ">/run/systemd/system/prometheus-node-exporter.service.d/zzz-plain.conf && "
    "systemctl daemon-reload && systemctl restart prometheus-node-exporter.service"
)
# read over a socket, not by a program that would have to be installed
SCRAPE = (
    'python3 -I -S -c \'import socket; s = socket.create_connection(("127.0.0.1", 9100)); '
    's.sendall(b"GET /metrics HTTP/1.0\\r\\n\\r\\n"); n = 0\n'
    "while True:\n    d = s.recv(65536)\n    if not d: break\n    n += len(d)\nprint(n)'"
)


def main() -> int:
    """Measure and print; 1 when the probe costs more than node_exporter."""
    parser = argparse.ArgumentParser(description="The probe beside node_exporter.")
    parser.add_argument("--readings", type=int, default=40)
    parser.add_argument("--watch-s", type=float, default=300.0)
    parser.add_argument("--release", default="trixie", choices=["bookworm", "trixie"])
    asked = parser.parse_args()
    measure = kit.load([shipped("roles")])["metrics_probe"]
    wanted = lab.Request(
        machines=1, prefix=prefix_for("p"), network=network(), releases=(asked.release,),
        enrolled=True,
    )  # fmt: skip
    with fleet_up(wanted) as fleet:
        machine = fleet.machines[0]
        apply(fleet, measure, Profile.SERVER)
        each = [reading(machine) for _ in range(asked.readings)]
        trimmed, size = scraped(machine, asked.watch_s)
        sh(machine, PLAIN)
        time.sleep(5)
        whole, whole_size = scraped(machine, asked.watch_s)
    ours = READINGS_PER_H * statistics.mean(each)
    scale = HOUR_S / asked.watch_s
    said = {
        "release": asked.release,
        "readings": len(each),
        "reading_ms_median": round(statistics.median(each) * 1000, 1),
        "reading_ms_max": round(max(each) * 1000, 1),
        "probe_s_per_hour": round(ours, 3),
        "scrapes_watched_s": asked.watch_s,
        "node_exporter_trimmed_s_per_hour": round(trimmed * scale, 3),
        "node_exporter_trimmed_bytes": size,
        "node_exporter_default_s_per_hour": round(whole * scale, 3),
        "node_exporter_default_bytes": whole_size,
        "times_less_than_trimmed": round(trimmed * scale / ours, 1),
    }
    print(json.dumps(said, indent=1))
    return 0 if ours < trimmed * scale else 1


def reading(machine: lab.Machine) -> float:
    """CPU seconds of one reading."""
    # systemd refuses what is started five times in ten seconds
    sh(machine, f"sleep 2.5; systemctl start {SERVICE}")
    spent = cpu_of(machine, [SERVICE])
    if not spent:
        raise RuntimeError(f"{SERVICE} was not accounted for: is the lab's cgroup writable?")
    return spent


def scraped(machine: lab.Machine, watch_s: float) -> tuple[float, int]:
    """CPU seconds of node_exporter while it is scraped, and the bytes of one scrape."""
    size = int(sh(machine, SCRAPE) or 0)
    if size < 1000:
        raise RuntimeError("node_exporter does not answer.")
    before, begun = cpu_of(machine, [PEER]), time.monotonic()
    for number in range(1, int(watch_s // SCRAPE_S) + 1):
        time.sleep(max(begun + number * SCRAPE_S - time.monotonic(), 0))
        sh(machine, SCRAPE)
    return cpu_of(machine, [PEER]) - before, size


if __name__ == "__main__":
    raise SystemExit(main())

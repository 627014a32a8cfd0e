"""The monitoring as a syndicate has it: real machines, a real Prometheus, every panel, every rule.

A lab of its own: one machine is the monitoring server (role monitoring_server), all have the
measure metrics_probe, and the exporter runs on the desk, with a certificate and a password. A
machine of the lab is a container and has no energy of its own, so the probe of one is shown the
files of a server with two processors (its option --root) and a day that is over.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import yaml
from dashboards.answers import Prometheus, Unanswered, walk, walk_rules
from tests.lab.conftest import _halves, _prefix, _root_or_skip, _up
from tests.lab.spine import Desk

from kitsurvie import lab
from kitsurvie.lab import Lab, Machine

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "tests" / "data" / "manche_sample"
USER = "prometheus"
TEXTFILES = "/var/lib/prometheus/node-exporter"
# as sed writes what stands between a shell's quotes
ROOT_WORDS = r"[\x27--root\x27, \x27/srv/server\x27]"
# a server with two processors, as the kernel shows it
SERVER = {
    "proc/stat": "cpu  100 0 0 900 0 0 0 0 0 0",
    "proc/cpuinfo": "flags\t\t: fpu",
    "proc/sys/kernel/random/boot_id": "one",
    "sys/class/dmi/id/chassis_type": "23",
    "sys/class/dmi/id/sys_vendor": "Dell Inc.",
    "sys/class/powercap/intel-rapl:0/name": "package-0",
    "sys/class/powercap/intel-rapl:0/energy_uj": "1000000",
    "sys/class/powercap/intel-rapl:0/max_energy_range_uj": "262143328850",
    "sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw": "65000000",
    "sys/class/powercap/intel-rapl:1/name": "package-1",
    "sys/class/powercap/intel-rapl:1/energy_uj": "1000000",
    "sys/class/powercap/intel-rapl:1/max_energy_range_uj": "262143328850",
    "sys/class/powercap/intel-rapl:1/constraint_0_power_limit_uw": "65000000",
}


@dataclass
class Site:
    """The monitoring server, what it watches, and the desk with the exporter."""

    fleet: Lab
    desk: Desk
    server: Machine
    watched: list[Machine]

    @property
    def url(self) -> str:
        return f"http://{self.server.addresses[0]}:9090"

    @property
    def prometheus(self) -> Prometheus:
        return Prometheus(self.url)

    def firing(self) -> set[str]:
        """The names of the alerts that Alertmanager has."""
        address = f"http://{self.server.addresses[0]}:9093/api/v2/alerts?active=true"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return {one["labels"]["alertname"] for one in json.load(answer)}


def sh(machine: Machine, script: str) -> str:
    done = machine.run(["/bin/sh", "-c", script])
    assert done.returncode == 0, (done.stdout + done.stderr).decode()[-2000:]
    return done.stdout.decode()


def until(holds: Callable[[], object], timeout_s: float = 90) -> None:
    """Wait until it gives something true, or what it gave last is why not."""
    end = time.monotonic() + timeout_s
    while not (found := holds()):
        assert time.monotonic() < end, found
        time.sleep(1)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    _root_or_skip()
    folder = tmp_path_factory.mktemp("monitoring") / "lab"
    try:
        yield _up(
            folder,
            lab.Request(machines=3, prefix=f"{_prefix()}m", network=_halves()[1], enrolled=True),
        )
    finally:
        if os.geteuid() == 0:
            lab.down(folder)


@pytest.fixture(scope="module")
def site(fleet: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    desk = Desk(fleet.folder)
    server, *watched = fleet.machines
    here = server.run(["ip", "route", "show", "default"]).stdout.decode().split()[2]
    consult = 'consultations:\n  - {all: true, body: a committee, on: "2026-03-12"}\n'
    (fleet.folder / "inventory" / "consultations.yml").write_text(consult)
    secret = tmp_path_factory.mktemp("secret")
    web, words = guarded(secret, here)
    variables = {
        "metrics_probe__mode": "enforce",
        "metrics_probe__use": True,
        "metrics_probe__scraped_from": [server.addresses[0], here],
        "metrics_probe__watts": {"server": 120},
    }
    with desk.variables("group:all", **variables):
        said = desk.run("deploy", "--yes", "--measure", "metrics_probe")
        assert said.code == 0, said.err + said.out
        a_day_is_over(watched[0])
        said = desk.run("assets", "import", str(SAMPLE / "glpi_export.csv"))
        assert said.code == 0, said.err
        said = desk.run("assets", "import", str(days(secret)))
        assert said.code == 0, said.err
        night(desk, server)
        exporter = desk.start(
            "exporter", "--listen", f"{here}:9477", "--web-config", str(web), "--cache", "2"
        )
        try:
            play(fleet, {**words, "monitoring_server__exporter": f"https://{here}:9477"})
            hurried(server)
            yield Site(fleet, desk, server, watched)
        finally:
            exporter.send_signal(signal.SIGTERM)
            exporter.communicate(timeout=60)


def guarded(folder: Path, address: str) -> tuple[Path, dict[str, str]]:
    """A certificate, a user and a password: the exporter's file, and what Prometheus is to know."""
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    words += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    words += ["-subj", "/CN=exporter", "-addext", f"subjectAltName=IP:{address}"]
    subprocess.run(words, check=True, capture_output=True)
    password = secrets.token_urlsafe(20)
    (folder / "password").write_text(password)
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(6)).decode()
    web = folder / "web.yml"
    web.write_text(
        "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n"
        f"basic_auth_users:\n  {USER}: {hashed}\n"
    )
    return web, {
        "monitoring_server__exporter_user": USER,
        "monitoring_server__exporter_password_file": str(folder / "password"),
        "monitoring_server__exporter_ca_file": str(folder / "cert.pem"),
    }


def a_day_is_over(machine: Machine) -> None:
    """The probe reads the files of a server, and yesterday is over for it."""
    for name, content in SERVER.items():
        sh(machine, f"mkdir -p /srv/server/{Path(name).parent}")
        machine.run(["/bin/sh", "-c", f"cat > '/srv/server/{name}'"], f"{content}\n".encode())
    unit = "/etc/systemd/system/kitsurvie-probe.service"
    words = f"s|probe.main(sys.argv|probe.main({ROOT_WORDS} + sys.argv|"
    sh(machine, f"sed -i '{words}' {unit}")
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    read(machine)
    for energy, ticks in ((11_000_000, 2000), (21_000_000, 4000)):
        time.sleep(1)
        spend(machine, energy, ticks)
    dates = f"s/^w day=.*/w day={yesterday}/; s/^w since=.*/w since={yesterday}/"
    sh(machine, f"sed -i '{dates}' /var/lib/kitsurvie/probe/state")
    read(machine)
    assert f'"day": "{yesterday}"' in sh(machine, "cat /var/lib/kitsurvie/probe/totals.json")


def read(machine: Machine) -> None:
    sh(machine, "systemctl daemon-reload; systemctl start kitsurvie-probe.service")


def spend(machine: Machine, energy: int, ticks: int) -> None:
    for number in (0, 1):
        sh(machine, f"echo {energy} > /srv/server/sys/class/powercap/intel-rapl:{number}/energy_uj")
    sh(machine, f"echo 'cpu  {ticks // 10} 0 0 {ticks} 0 0 0 0 0 0' > /srv/server/proc/stat")
    read(machine)


def days(folder: Path) -> Path:
    """The session days of the made-up syndicate, brought to these weeks."""
    lines = (SAMPLE / "session_days.csv").read_text().splitlines()
    newest = max(line.split(",")[0] for line in lines[1:])
    shift = datetime.now(UTC).date() - timedelta(days=1) - datetime.fromisoformat(newest).date()
    moved = [lines[0]]
    for line in lines[1:]:
        day, _, rest = line.partition(",")
        moved.append(f"{datetime.fromisoformat(day).date() + shift},{rest}")
    path = folder / "session_days.csv"
    path.write_text("\n".join(moved) + "\n")
    return path


def night(desk: Desk, server: Machine) -> None:
    """A compliance run, and what the control node tells of its night, its backup and its ingest."""
    counts = desk.workspace / "kitsurvie.prom"
    said = desk.run("compliance", "run", "--output", f"prometheus={counts}", "--output", "table=-")
    assert said.code in {0, 1}, said.err
    server.run(["/bin/sh", "-c", f"cat > {TEXTFILES}/kitsurvie.prom"], counts.read_bytes())
    program = (ROOT / "roles" / "control_node" / "files" / "night").read_bytes()
    server.run(["/bin/sh", "-c", "cat > /root/night; chmod 755 /root/night"], program)
    for name in ("night", "backup", "ingest"):
        sh(server, f"/root/night begun {TEXTFILES} {name}")
        ended = "SERVICE_RESULT=success EXIT_CODE=exited EXIT_STATUS=0"
        sh(server, f"{ended} /root/night ended {TEXTFILES} {name}")


def play(fleet: Lab, variables: dict[str, str]) -> None:
    server = fleet.machines[0]
    # where Grafana would have them: it is not in Debian
    sh(
        server,
        "mkdir -p /etc/grafana/provisioning/datasources /etc/grafana/provisioning/dashboards",
    )
    said = {
        "monitoring_server": server.name,
        "monitoring_server__listen": server.addresses[0],
        "monitoring_server__control_nodes": [f"{server.addresses[0]}:9100"],
        "monitoring_server__interval": "2s",
        "monitoring_server__grafana_provisioning": "/etc/grafana/provisioning",
        **variables,
    }
    words = [str(Path(sys.executable).with_name("ansible-playbook"))]
    words += ["-i", str(fleet.folder / "inventory" / "hosts.yml"), "-e", json.dumps(said)]
    words += [str(ROOT / "playbooks" / "monitoring_server.yml")]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]


def hurried(server: Machine) -> None:
    """The rules as they are, but for how long they wait: promtool's tests prove that."""
    rules = "/etc/prometheus/kitsurvie/prometheus_*.yaml"
    sh(server, f"sed -i -E 's/^( +)for: .*/\\1for: 0s/' {rules}")
    waits = "s/(group_wait|group_interval): .*/\\1: 1s/"
    sh(server, f"sed -i -E '{waits}' /etc/prometheus/alertmanager.yml")
    sh(server, "systemctl reload prometheus prometheus-alertmanager")


def test_everything_that_is_to_be_watched_is_and_answers(site: Site) -> None:
    def down() -> list[Any]:
        found = site.prometheus.instant("up")
        jobs = {one.labels["job"] for one in found if one.values[0][1] == 1}
        wanted = {"prometheus", "alertmanager", "kitsurvie", "kitsurvie_control", "kitsurvie_node"}
        return sorted(wanted - jobs)

    until(lambda: not down())
    nodes = site.prometheus.instant('up{job="kitsurvie_node"}')
    assert {one.labels["instance"] for one in nodes} == {
        f"{one.addresses[0]}:9100" for one in site.fleet.machines
    }
    assert all(one.labels["member"] and one.labels["profile"] for one in nodes)


def test_nobody_reads_the_exporter_without_its_password(site: Site) -> None:
    """Whom node_exporter answers is for a kernel of its own: a container filters no packets."""
    here = site.watched[0].run(["ip", "route", "show", "default"]).stdout.decode().split()[2]
    ask = (
        "import ssl, sys, urllib.request; sure = ssl._create_unverified_context(); "
        "urllib.request.urlopen(sys.argv[1], timeout=5, context=sure)"
    )
    for page in ("metrics", "targets", "health"):
        done = site.watched[0].run(["python3", "-c", ask, f"https://{here}:9477/{page}"])
        assert "HTTP Error 401" in done.stderr.decode(), (page, done.stdout, done.stderr)


def test_every_panel_has_an_answer_and_every_rule_is_one(site: Site) -> None:
    spend(site.watched[0], 41_000_000, 5000)
    nodes = site.prometheus.instant('up{job="kitsurvie_node"}')
    member = nodes[0].labels["member"]

    def bad() -> list[str]:
        try:
            found = [*walk(site.url, wanted={"member": member}), *walk_rules(site.url)]
        except Unanswered as error:
            return [str(error)]
        assert len(found) > 90
        return [
            f"{getattr(one, 'title', '') or one}: {one.error or 'empty'}"
            for one in found
            if one.error or one.empty
        ]

    deadline = time.monotonic() + 180
    while said := bad():
        assert time.monotonic() < deadline, said
        time.sleep(3)


def test_what_the_probe_read_of_a_server_comes_out_of_the_ledger(site: Site) -> None:
    """The totals of a day went into the evidence of the night, and the exporter counts them."""
    ask = 'sum(kitsurvie_energy_recent_joules{kind="server", method="rapl"})'
    until(lambda: site.prometheus.instant(ask))
    (found,) = site.prometheus.instant(ask)
    assert found.values[0][1] == pytest.approx(2 * 20)


def test_a_machine_that_breaks_is_told_and_one_that_is_mended_no_more(site: Site) -> None:
    broken = site.watched[1]
    assert "KitsurvieServerDown" not in site.firing()
    with site.desk.variables(f"host:{broken.name}", kit__profile="server"):
        until(lambda: site.prometheus.instant(f'up{{instance="{broken.addresses[0]}:9100"}} == 1'))
        sh(broken, "systemctl stop prometheus-node-exporter")
        until(lambda: "KitsurvieServerDown" in site.firing(), 120)
        sh(broken, "systemctl start prometheus-node-exporter")
        until(lambda: "KitsurvieServerDown" not in site.firing(), 120)


def test_grafana_would_find_the_dashboards_and_they_their_source(site: Site) -> None:
    """Its files are those that were written for it; Grafana itself is not run."""
    source, provider = (
        yaml.safe_load(sh(site.server, f"cat /etc/grafana/provisioning/{what}/kitsurvie.yaml"))
        for what in ("datasources", "dashboards")
    )
    (prometheus,) = source["datasources"]
    assert prometheus["url"] == site.url
    folder = provider["providers"][0]["options"]["path"]
    written = sh(site.server, f"cat {folder}/fr/*.json")
    assert set(re.findall(r'"type": "prometheus",\s+"uid": "([^"]+)"', written)) == {
        prometheus["uid"]
    }


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not here")
def test_promtool_finds_nothing_to_say_of_the_exporter(site: Site) -> None:
    said = site.desk.run("exporter", "--textfile", "-")
    assert said.code == 0, said.err
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=said.out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")

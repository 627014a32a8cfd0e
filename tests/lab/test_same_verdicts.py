"""The verdicts are those of plain pytest-testinfra on the same hosts, broken ones included."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab.spine import SPINE, Desk, enforced

from kitsurvie import lab

ROOT = Path(__file__).parents[2]
PLAIN = {"passed": "compliant", "skipped": "not_applicable", "failed": "drift"}


def ssh_config(fleet: lab.Lab, folder: Path) -> Path:
    lines = []
    for machine in fleet.machines:
        lines += [
            f"Host {machine.name}",
            f"  HostName {machine.address}",
            f"  HostKeyAlias {machine.name}",
            f"  UserKnownHostsFile {fleet.folder / 'inventory' / 'known_hosts'}",
            f"  IdentityFile {fleet.admin_key}",
            "  User admin1",
            "  StrictHostKeyChecking yes",
        ]
    path = folder / "ssh_config"
    path.write_text("\n".join(lines) + "\n")
    return path


def plain(
    fleet: lab.Lab, name: str, measures: set[str], ssh: Path
) -> dict[tuple[str, str, str], str]:
    """(host, measure, check) -> passed, failed or skipped, as pytest says it of one host."""
    report = ssh.with_name(f"{name}.xml")
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}",
            "--sudo", f"--hosts=ssh://{name}", f"--ssh-config={ssh}",
            f"--kit-inventory={fleet.folder / 'inventory'}",
            *[str(ROOT / "roles" / measure / "checks") for measure in sorted(measures)],
        ],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stdout[-3000:] + done.stderr[-3000:]
    found = {}
    for case in ET.parse(report).iter("testcase"):
        name, classname = case.attrib["name"], case.attrib["classname"]
        match = re.fullmatch(r"(\w+)\[ssh://([a-z0-9-]+?-\d+)(?:-(.*))?\]", name, re.DOTALL)
        assert match is not None, name
        check = f"{match[1]}[{match[3]}]" if match[3] is not None else match[1]
        state = next((c.tag for c in case if c.tag in {"failure", "error", "skipped"}), "passed")
        outcome = {"failure": "failed", "error": "failed"}.get(state, state)
        measure = classname.rpartition("test_")[2]
        found[match[2], measure, check] = outcome
    return found


# two machines with the kit as it should be, broken here and there, one as it came; and what a
# French PC says differently
BROKEN = {
    0: "echo changed > /etc/motd; chmod 0777 /etc/issue",
    1: "nft flush ruleset; systemctl stop apt-daily.timer; usermod -p broken root",
    2: "printf 'LANG=fr_FR.UTF-8\\nLANGUAGE=fr\\n' > /etc/default/locale",
}


def test_every_verdict_agrees_with_plain_testinfra(lab_fleet: lab.Lab, tmp_path: Path) -> None:
    desk = Desk(lab_fleet.folder)
    lab.renew(lab_fleet, lab_fleet.machines[3].name)
    with desk.variables("group:all", **enforced()):
        names = ",".join(machine.name for machine in lab_fleet.machines[:3])
        deployed = desk.run("deploy", "--yes", "--json", "--limit", names)
        assert deployed.code == 0, deployed.why()
    for number, command in BROKEN.items():
        done = lab_fleet.machines[number].run(["/bin/sh", "-ec", command])
        assert done.returncode == 0, done.stderr
    ours = {
        (host["name"], measure["id"], check["name"]): check["status"]
        for host in desk.run("compliance", "run", "--json").document["hosts"]
        for measure in host["measures"]
        for check in measure["checks"]
    }
    meant: dict[str, set[str]] = {}
    for host, measure, _check in ours:
        meant.setdefault(host, set()).add(measure)
    ssh = ssh_config(lab_fleet, tmp_path)
    with ThreadPoolExecutor() as workers:
        said = workers.map(lambda name: plain(lab_fleet, name, meant[name], ssh), meant)
        theirs = {key: outcome for one in said for key, outcome in one.items()}
    assert ours.keys() == theirs.keys()
    assert {measure for _host, measure, _check in ours} >= set(SPINE)
    disagree = {k: (ours[k], theirs[k]) for k in ours if ours[k] != PLAIN[theirs[k]]}
    assert disagree == {}
    drifting = {
        (host, measure)
        for (host, measure, _), said in ours.items()
        if said == "drift" and measure in SPINE
    }
    first, second, third, raw = (machine.name for machine in lab_fleet.machines)
    assert {m for h, m in drifting if h == first} == {"support_contact"}
    assert {m for h, m in drifting if h == second} == {"accounts", "firewall", "updates"}
    assert {m for h, m in drifting if h == third} == set()
    assert len({m for h, m in drifting if h == raw}) == 5

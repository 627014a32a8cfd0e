"""The kit on the machines of the session, played and judged with nothing of ours but the roles."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from kitsurvie import lab

ROOT = Path(__file__).parents[3]
BESIDE = Path(sys.executable).parent

# half a gigabyte of disk or of memory each: played by the slow tests alone
LEFT_OUT = ("antivirus", "mail_client", "office_suite", "web_browser")
VARIABLES = {
    **{f"{measure}__mode": "off" for measure in LEFT_OUT},
    "kit__mode": "enforce",
    "accounts__exclusive": True,
    "support_contact__name": "Assistance de l'agglo & compagnie",
    "support_contact__phone": "02 33 00 00 00",
    "support_contact__email": "assistance@syndicat.example",
    "support_contact__hours": "du lundi au vendredi, de 8 h à 18 h",
    "firewall__open_ports": [
        {
            "port": 631,
            "from": ["192.0.2.0/24", "2001:db8::/32"],
            "reason": "a printer",
        },
        {"port": "5000-5010", "proto": "udp", "reason": "the telephones"},
    ],
    # small enough to be filled to the brim
    "public_access__home_size": "24m",
    "observer__keys": [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE5ldmVydXNlZGtleW9ubHlmb3J0aGV0ZXN0c29mYWts night"
    ],
    "observer__from": ["192.0.2.10", "2001:db8::/32"],
    "antivirus__wanted": True,
    "antivirus__paths": ["/srv/shares"],
    "antivirus__database": "site",
    # a control node that is never there: what is handed in is tried in test_self_observation
    "self_observation__server": "192.0.2.1",
    "self_observation__host_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPretendedToBeThere"],
    "backup_seen__proofs": [
        {"unit": "site-backup.service"},
        {"marker": "/var/lib/site-backup/last"},
    ],
}
# to agree on keys takes an emulated processor that long on a busy host
CONNECTS_WITHIN_S = 120


@dataclass(frozen=True)
class Played:
    """What one run of ansible-playbook said. `changed` and `failed` are counts per host."""

    status: int
    said: str

    def count(self, word: str) -> dict[str, int]:
        recap = self.said.partition("PLAY RECAP")[2]
        lines = re.findall(rf"^(\S+)\s+:.*\b{word}=(\d+)", recap, re.MULTILINE)
        return {name: int(number) for name, number in lines}


def for_profile(profile: str) -> list[str]:
    """The measures that a machine of that profile has."""
    files = sorted(ROOT.glob("roles/*/measure.yml"))
    return [f.parent.name for f in files if profile in yaml.safe_load(f.read_text())["profiles"]]


class Kit:
    """`playbooks/kit.yml` and `roles/*/checks` over the lab, as a sysadmin would without us."""

    def __init__(self, fleet: lab.Lab, scratch: Path) -> None:
        self.fleet = fleet
        self.hosts = fleet.folder / "inventory" / "hosts.yml"
        self.scratch = scratch
        self.profiles = {machine.name: str(machine.profile) for machine in fleet.machines}

    @contextmanager
    def used_as(self, name: str, profile: str) -> Iterator[None]:
        """A machine with another profile than its own, for a while."""
        path = self.hosts.parent / "host_vars" / f"{name}.yml"
        path.parent.mkdir(exist_ok=True)
        before, self.profiles[name] = self.profiles[name], profile
        path.write_text(yaml.safe_dump({"kit__profile": profile}, explicit_start=True))
        try:
            yield
        finally:
            path.unlink()
            self.profiles[name] = before

    def play(self, *arguments: str) -> Played:
        return self._played("kit", arguments)

    def play_absent(self, *arguments: str) -> Played:
        return self._played("absent", arguments)

    def play_reboot(self, *arguments: str) -> Played:
        return self._played("reboot", arguments)

    def _played(self, playbook: str, arguments: tuple[str, ...]) -> Played:
        plays = f"playbooks/{playbook}.yml"
        done = subprocess.run(
            [BESIDE / "ansible-playbook", "-i", self.hosts, plays, *arguments],
            cwd=ROOT, capture_output=True, text=True, check=False,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        )  # fmt: skip
        return Played(done.returncode, done.stdout + done.stderr)

    def a_person_mends(self, name: str, *measures: str) -> None:
        """What no play brings or mends on a machine: a backup, a list of threats."""
        for measure in measures or for_profile(self.profiles[name]):
            if measures or measure not in LEFT_OUT:
                self._act(name, measure, "mend")

    def _act(self, name: str, measure: str, script: str) -> None:
        path = ROOT / "roles" / measure / "scenarios" / f"{script}.sh"
        if path.is_file():
            done = self.fleet.machine(name).run(["/bin/sh", "-s"], path.read_bytes(), timeout_s=900)
            assert done.returncode == 0, done.stderr

    @contextmanager
    def scene(self, names: list[str], measure: str) -> Iterator[None]:
        """What the scenarios of a measure need around these machines, and what declares it."""
        variables = ROOT / "roles" / measure / "scenarios" / "variables.yml"
        declared = self.hosts.parent / "group_vars" / "all" / "scene.yml"
        if variables.is_file():
            declared.write_bytes(variables.read_bytes())
        try:
            for name in names:
                self._act(name, measure, "before")
            yield
            for name in names:
                self._act(name, measure, "after")
        finally:
            declared.unlink(missing_ok=True)

    def judge(self, name: str, *measures: str) -> dict[str, str]:
        """By `measure/check`, from plain pytest-testinfra: passed, skipped, failure or error.

        A check with several cases is as bad as the worst of them. What was found instead of what
        was expected is printed, for the reader of a test that fails.
        """
        machine = self.fleet.machine(name)
        report = self.scratch / f"{name}.xml"
        ssh = self.scratch / f"{name}.ssh"
        options = {
            "HostKeyAlias": name,
            "UserKnownHostsFile": self.fleet.folder / "inventory" / "known_hosts",
            "StrictHostKeyChecking": "yes",
            "IdentityFile": self.fleet.admin_key,
            "ControlMaster": "auto",
            "ControlPath": f"{self.scratch}/%C",
            "ControlPersist": "5",
        }
        lines = [f"Host {machine.address}", *(f"  {k} {v}" for k, v in options.items())]
        ssh.write_text("\n".join(lines) + "\n", encoding="utf-8")
        there = [m for m in for_profile(self.profiles[name]) if m not in LEFT_OUT]
        folders = [f"roles/{measure}/checks" for measure in measures or there]
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *folders, "--sudo", f"--ssh-config={ssh}",
             f"--hosts=ssh://admin1@{machine.address}?timeout={CONNECTS_WITHIN_S}",
             f"--kit-inventory={self.hosts}", f"--junitxml={report}"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        outcomes: dict[str, str] = {}
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            measure = case.get("classname", "").split(".")[1]
            key = f"{measure}/{case.get('name', '').partition('[')[0]}"
            kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
            for told in (child for child in case if child.tag in ("failure", "error")):
                print(f"{name} {key}: {told.get('message', '')}")
            worst = {"failure", "error", outcomes.get(key, "")} & {*kinds, outcomes.get(key, "")}
            outcomes[key] = next(iter(worst - {"", "passed", "skipped"} or kinds), "passed")
        assert outcomes, f"no check ran on {name}"
        return outcomes

    def drifting(self, name: str, *measures: str) -> list[str]:
        bad = ("failure", "error")
        return sorted(k for k, v in self.judge(name, *measures).items() if v in bad)


@pytest.fixture(scope="module")
def kit(lab_fleet: lab.Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    """The kit enforced on the machines of the session, with variables of its own for a while."""
    extra = lab_fleet.folder / "inventory" / "group_vars" / "all" / "measures.yml"
    extra.write_text(yaml.safe_dump(VARIABLES, allow_unicode=True), encoding="utf-8")
    try:
        yield Kit(lab_fleet, tmp_path_factory.mktemp("kit"))
    finally:
        extra.unlink()

"""A control node's sshd, the PCs that hand in to it, and a desk: for tests of PCs that sleep."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.lab.spine import Desk

from kitsurvie import lab

ROOT = Path(__file__).parents[2]
BESIDE = Path(sys.executable).parent
FOLDER = "/var/lib/kitsurvie/self_observation"
# short, so that what holds on is seen to be let go
SPOOL = {"spool__seconds": 5, "spool__free_mb": 64}


@dataclass
class Estate:
    """A control node's sshd on one lab machine, PCs, and the sysadmin's desk."""

    fleet: lab.Lab
    desk: Desk
    control: lab.Machine
    pcs: tuple[lab.Machine, ...]

    @property
    def spool(self) -> Path:
        return Path(f"/proc/{self.control.leader_pid}/root/var/lib/kitsurvie-spool")

    def point(self) -> None:
        """The spool of that machine, as if the desk stood on it."""
        (self.fleet.folder / "kitsurvie.toml").write_text(f'spool = "{self.spool}"\n')

    def do(self, machine: lab.Machine, command: str) -> str:
        done = machine.run(["/bin/sh", "-c", command])
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout.decode().strip()

    def observe(self, pc: lab.Machine) -> int:
        """The PC looks at itself, as its timer has it do; gives the moment, by its clock."""
        # moments are whole seconds: after an administrator's look in the same one, that would stand
        self.do(pc, "sleep 1.1")
        self.do(pc, "systemctl start kitsurvie-self-observation.service")
        self.settle(pc)
        # two looks in one second would be one
        moment = int(self.do(pc, "date +%s"))
        self.do(pc, "sleep 1.1")
        return moment

    def settle(self, pc: lab.Machine) -> None:
        """Wait until nothing of it runs any more."""
        for _ in range(300):
            states = pc.run(
                ["systemctl", "is-active", "kitsurvie-hand-in", "kitsurvie-self-observation"]
            )
            if not {b"active", b"activating"} & set(states.stdout.split()):
                return
            time.sleep(0.2)
        pytest.fail("the handing in does not end")

    def hand_in(self, pc: lab.Machine) -> None:
        pc.run(["systemctl", "start", "kitsurvie-hand-in.service"])
        self.settle(pc)

    def outbox(self, pc: lab.Machine) -> list[str]:
        return self.do(pc, f"ls {FOLDER}/outbox").split()

    def ingest(self, code: int = 0) -> dict[str, Any]:
        said = self.desk.run("ingest", "--json")
        assert said.code == code, said.out + said.err
        return said.document

    def slot(self, pc: lab.Machine) -> list[Path]:
        return sorted((self.spool / "slots" / pc.name).glob("[0-9]*"))

    def forgive(self, pc: lab.Machine) -> None:
        """The day's hand-ins of a PC are forgotten."""
        (self.spool / "slots" / pc.name / ".lock").unlink(missing_ok=True)

    def enforce(self) -> None:
        """The measure is on every PC, and their keys are let in."""
        names = ",".join(pc.name for pc in self.pcs)
        said = self.desk.run("deploy", "--yes", "--limit", names, "--json")
        assert said.code in {0, 1}, said.why()
        for pc in self.pcs:
            checks = said.measure(pc.name, "self_observation")["checks"]
            assert {check["status"] for check in checks} == {"compliant"}, said.why()
        assert f"let in: {names}" in said.err.replace(", ", ","), said.err


@contextmanager
def estate_of(fleet: lab.Lab, control: lab.Machine, pcs: Sequence[lab.Machine]) -> Iterator[Estate]:
    """The spool on one machine, and an inventory that has the PCs hand in there, for a while."""
    made = Estate(fleet, Desk(fleet.folder), control, tuple(pcs))
    settings = fleet.folder / "kitsurvie.toml"
    before = settings.read_text()
    played = subprocess.run(
        [BESIDE / "ansible-playbook", "-i", fleet.folder / "inventory" / "hosts.yml",
         "playbooks/spool.yml", "-e", json.dumps({"spool": control.name, **SPOOL})],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
    )  # fmt: skip
    assert played.returncode == 0, played.stdout[-3000:]
    key = made.do(control, "cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub")
    made.point()
    # every check is asked, and nothing but this measure is touched
    own = {
        "self_observation__mode": "enforce", "self_observation__server": control.address,
        "self_observation__host_keys": [key],
    }  # fmt: skip
    try:
        with ExitStack() as stack:
            stack.enter_context(made.desk.variables("all", kit__mode="observe"))
            for pc in pcs:
                stack.enter_context(made.desk.variables(f"host:{pc.name}", **own))
            yield made
    finally:
        settings.write_text(before)

"""The kit by `ansible-playbook` alone, on the machines of a lab."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from kitsurvie import lab

ROOT = Path(__file__).resolve().parents[1]


def play(
    fleet: lab.Lab,
    *arguments: str,
    pipelining: bool = False,
    playbook: str = "playbooks/kit.yml",
) -> subprocess.CompletedProcess[str]:
    """Play a playbook over the lab's inventory with these further arguments."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")),
         "-i", str(fleet.folder / "inventory" / "hosts.yml"), playbook, *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": str(pipelining),
        },
    )  # fmt: skip

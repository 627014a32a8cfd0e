"""The measure self_observation as a deployment brings it: its list, and a spool to hand in to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import yaml

from benchmarks.playbook import play
from kitsurvie import lab

MEASURE = "self_observation"


def deploy(fleet: lab.Lab, pc: lab.Machine, control: lab.Machine) -> None:
    """Have a machine observe itself and hand in to another. Raises RuntimeError when it fails."""
    played = play(fleet, "-e", json.dumps({"spool": control.name}), playbook="playbooks/spool.yml")
    if played.returncode:
        raise RuntimeError(f"the spool could not be set up:\n{played.stdout[-3000:]}")
    key = control.run(["cut", "-d", " ", "-f", "1,2", "/etc/ssh/ssh_host_ed25519_key.pub"])
    # every check is asked, since the list of the machine is what the checks asked
    values = {
        "kit__mode": "observe",
        f"{MEASURE}__mode": "enforce",
        f"{MEASURE}__server": control.address,
        f"{MEASURE}__host_keys": [key.stdout.decode().strip()],
    }
    variables = fleet.folder / "inventory" / "group_vars" / "all" / "zz_handing_in.yml"
    variables.write_text(yaml.safe_dump(values, explicit_start=True), encoding="utf-8")
    spool = f"/proc/{control.leader_pid}/root/var/lib/kitsurvie-spool"
    (fleet.folder / "kitsurvie.toml").write_text(f'spool = "{spool}"\n', encoding="utf-8")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("kitsurvie")), "deploy", "--yes", "--limit", pc.name,
         "--workspace", str(fleet.folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    variables.unlink()
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"{pc.name} was not deployed:\n{(done.stdout + done.stderr)[-3000:]}")

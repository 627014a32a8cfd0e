"""Ask Ansible what the inventory says: it alone knows its rules of precedence."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from kitsurvie.errors import InventoryError
from kitsurvie.inventory.sources import NOT_INVENTORIES

TIMEOUT_S = 900


def version() -> str:
    """The version of the ansible-core installed."""
    return metadata.version("ansible-core")


def program(name: str) -> str:
    """The path of one of Ansible's programs, beside our own Python first, else on PATH.

    Raises InventoryError when there is none.
    """
    beside = Path(sys.executable).parent / name
    if beside.is_file():
        return str(beside)
    found = shutil.which(name)
    if found is None:
        raise InventoryError(
            f"Ansible's program {name} is missing.",
            where=str(beside.parent),
            remedy="Install ansible-core where kitsurvie is installed.",
        )
    return found


def environment(home: Path) -> dict[str, str]:
    """The environment that makes Ansible read an inventory as kitsurvie does, on any account.

    Settings of the person's own (`ANSIBLE_*`, ansible.cfg) are left out, so that two sysadmins
    never get two answers. `home` is a folder Ansible may write its temporary files to.
    """
    config = home / "ansible.cfg"
    config.write_text("[defaults]\n", encoding="utf-8")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")}
    return {
        **kept,
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(config),
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_INVENTORY_ENABLED": "yaml",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "ANSIBLE_INVENTORY_IGNORE_REGEX": ",".join(NOT_INVENTORIES),
    }


def listing(folder: Path) -> dict[str, Any]:
    """What `ansible-inventory -i folder --list` answers, as plain data.

    Raises InventoryError with Ansible's own words when it refuses.
    """
    command = [program("ansible-inventory"), "-i", str(folder), "--list"]
    with tempfile.TemporaryDirectory(prefix="kitsurvie-inventory-") as home:
        try:
            done = subprocess.run(
                command,
                cwd=home,
                env=environment(Path(home)),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise InventoryError(
                f"Ansible did not read the inventory within {TIMEOUT_S} seconds.",
                where=str(folder),
                remedy="Look for a very large variables file.",
            ) from error
    if done.returncode != 0:
        raise InventoryError(
            f"Ansible cannot read the inventory: {_sentence(done.stderr)}.",
            where=str(folder),
            remedy=f"See what it says in full: ansible-inventory -i {folder} --list",
        )
    answer = json.loads(done.stdout)
    if not isinstance(answer, dict):
        raise InventoryError(
            "Ansible answered something that is not an inventory.",
            where=str(folder),
            remedy=f"See what it says: ansible-inventory -i {folder} --list",
        )
    return answer


def _sentence(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", "replace").splitlines()
    errors = [line for line in lines if "ERROR" in line] or [line for line in lines if line.strip()]
    text = errors[-1] if errors else "it gave no reason"
    return text.replace("[ERROR]:", "").replace("ERROR!", "").strip().rstrip(".")

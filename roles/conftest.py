"""Gives a measure's checks its variables under plain `pytest --sudo --hosts=ssh://...`.

    pytest roles/firewall/checks --sudo --hosts=ssh://admin1@192.0.2.10 --kit-inventory FILE

`params` is the role's defaults, and over them what the Ansible inventory says of that host, found
by its inventory name or by its `ansible_host`. Without --kit-inventory: the defaults.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

# as kitsurvie itself has them (cli/survey.py)
RELEASE = '. /etc/os-release; echo "$ID $VERSION_ID"'
SUPPORTED = ("debian 12", "debian 13")
_READ: dict[str, dict[str, Any]] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kit-inventory",
        default=None,
        metavar="PATH",
        help="the Ansible inventory that the variables of the checks are resolved from",
    )


def _ansible_inventory() -> str:
    """The command that stands beside this Python, or else the one on PATH."""
    beside = Path(sys.executable).with_name("ansible-inventory")
    return str(beside) if beside.exists() else shutil.which("ansible-inventory") or str(beside)


def _host_variables(inventory: str) -> dict[str, Any]:
    """Every host's variables as Ansible merges them, by inventory name; read once per inventory."""
    if inventory not in _READ:
        listing = subprocess.run(
            [_ansible_inventory(), "-i", inventory, "--list"],
            check=False,
            capture_output=True,
            text=True,
        )
        if listing.returncode != 0:
            raise pytest.UsageError(f"Ansible cannot read {inventory}:\n{listing.stderr}")
        _READ[inventory] = json.loads(listing.stdout)["_meta"]["hostvars"]
    return _READ[inventory]


def _of_host(inventory: str, called: str) -> dict[str, Any]:
    hosts = _host_variables(inventory)
    if called in hosts:
        return hosts[called]
    named = [name for name, known in hosts.items() if known.get("ansible_host") == called]
    if len(named) != 1:
        raise pytest.UsageError(
            f"{inventory}: {len(named)} hosts answer to {called}; "
            "name it in --hosts as the inventory does, or by its ansible_host"
        )
    return hosts[named[0]]


@pytest.fixture(autouse=True)
def _only_where_proved(request: pytest.FixtureRequest) -> None:
    """A check says nothing of a system that the kit was not proved on."""
    if "host" not in request.fixturenames:
        return
    release = request.getfixturevalue("host").run(RELEASE).stdout.strip()
    if release not in SUPPORTED:
        pytest.skip(f"proved on {' and '.join(SUPPORTED)} only, not on {release}")


@pytest.fixture
def params(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The variables of the measure whose check asks, under their full names, for this host."""
    role = request.node.path.parent.parent
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text(encoding="utf-8")) or {}
    inventory = request.config.getoption("--kit-inventory")
    if inventory is None:
        return defaults
    host = request.getfixturevalue("host")
    known = _of_host(inventory, host.backend.host.name)
    return {name: known.get(name, default) for name, default in defaults.items()}

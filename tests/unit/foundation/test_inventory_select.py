"""`--limit` means what it means to Ansible, but never silently nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kitsurvie import inventory
from kitsurvie.errors import UsageError
from kitsurvie.inventory import ansible, selection
from kitsurvie.model import Inventory
from kitsurvie.workspace import Workspace

from .conftest import Make, syndicate


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return syndicate(tmp_path_factory.mktemp("syndicate"))


@pytest.fixture(scope="module")
def hosts(place: Workspace) -> Inventory:
    return inventory.load(place)


PATTERNS = [
    "agneaux-srv-01",
    "agneaux-pc-01,member_215005026",
    "epci_200066389",
    "epci_200066389:!member_215000027",
    "epci_200066389:&*-srv-*",
    "*-srv-01",
    "~(agneaux|manche)-.*",
    "all:!epci_200066389",
    "member_215000027[0]",
    "*,!agneaux-pc-01",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_means_what_ansible_says(
    place: Workspace, hosts: Inventory, pattern: str, tmp_path: Path
) -> None:
    command = [ansible.program("ansible"), "-i", place.inventory, pattern, "--list-hosts"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, text=True)
    theirs = {line.strip() for line in answer.stdout.splitlines()[1:]}
    assert theirs
    assert set(inventory.select(hosts, pattern)) == theirs


def test_no_pattern_is_every_host_in_the_inventory_s_order(hosts: Inventory) -> None:
    assert inventory.select(hosts, None) == tuple(hosts.hosts)
    assert inventory.select(hosts, "manche-srv-01,agneaux-pc-01") == tuple(
        name for name in hosts.hosts if name in ("manche-srv-01", "agneaux-pc-01")
    )


@pytest.mark.parametrize(
    ("pattern", "near"),
    [
        ("agneux-srv-01", "agneaux-srv-01"),
        ("agneaux-srv-01,agneaux-pc-10", "agneaux-pc-01"),
        ("epci_200066389:!member_215000072", "member_215000027"),
        ("zzz", "inventory show"),
        ("nothing-*", "inventory show"),
        ("agneaux-srv-01:&manche-srv-01", "inventory show"),
        ("@hosts.txt", "commas"),
        ("~(", "pattern"),
        ("~[", "pattern"),
        ("[", "pattern"),
        ("localhost", "inventory show"),
        ("-v", "inventory show"),
    ],
)
def test_a_pattern_that_means_no_host_is_an_error_with_near_names(
    hosts: Inventory, pattern: str, near: str
) -> None:
    with pytest.raises(UsageError) as caught:
        inventory.select(hosts, pattern)
    assert near in caught.value.remedy


def test_plain_names_do_not_cost_the_import_of_ansible(place: Workspace) -> None:
    code = (
        "import sys; from pathlib import Path; from kitsurvie import inventory, workspace\n"
        "found = inventory.load(workspace.load(Path(sys.argv[1])))\n"
        "assert len(inventory.select(found, 'epci_200066389')) == 3\n"
        "assert not [m for m in sys.modules if m.split('.')[0] == 'ansible'], 'imported'\n"
    )
    subprocess.run([sys.executable, "-c", code, str(place.root)], check=True)
    assert selection.select is inventory.select


def test_an_inventory_without_a_host_is_no_silent_success(make: Make) -> None:
    place = make({"hosts.yml": "---\nall:\n  children:\n    member_225005024: {hosts: {}}\n"})
    empty = inventory.load(place)
    assert (dict(empty.hosts), dict(empty.members)) == ({}, {})
    with pytest.raises(UsageError, match="no host yet"):
        inventory.select(empty, None)

"""Each value is told with the line that sets it, as Ansible resolves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kitsurvie import inventory, kit, workspace
from kitsurvie.model import Host, Measure, Scope

from .conftest import HOSTS, Make, Run

EPCI = "inventory/group_vars/epci_200066389.yml"
MEMBER = "inventory/group_vars/member_215000027.yml"


def told(host: Host, name: str) -> tuple[Scope, str, str]:
    last = host.settings[name][-1]
    assert last.value == host.variables[name]
    return last.scope, last.name, last.where


def test_a_value_comes_from_the_nearest_scope_and_the_wider_ones_are_known(make: Make) -> None:
    place = make({"host_vars/agneaux-pc-01.yml": "---\nfirewall__level: host\n"})
    hosts = inventory.load(place).hosts
    member = (Scope.MEMBER, "member_215000027", f"{MEMBER}:2")
    assert told(hosts["agneaux-srv-01"], "firewall__level") == member
    epci = (Scope.EPCI, "epci_200066389", f"{EPCI}:2")
    assert told(hosts["saint-lo-srv-01"], "firewall__level") == epci
    pc = hosts["agneaux-pc-01"]
    host = (Scope.HOST, "agneaux-pc-01", "inventory/host_vars/agneaux-pc-01.yml:2")
    assert told(pc, "firewall__level") == host
    assert [one.value for one in pc.settings["firewall__level"]] == ["epci", "member", "host"]
    assert told(hosts["manche-srv-01"], "kit__mode")[:2] == (Scope.ALL, "all")
    profile = (Scope.HOST, "agneaux-pc-01", "inventory/hosts.yml:9")
    assert told(pc, "kit__profile") == profile


def test_a_group_above_the_epcis_or_beside_them_is_named(make: Make) -> None:
    beside = HOSTS + "    pilots:\n      hosts:\n        manche-srv-01:\n"
    place = make({"hosts.yml": beside, "group_vars/pilots.yml": "firewall__level: pilots\n"})
    host = inventory.load(place).hosts["manche-srv-01"]
    where = "inventory/group_vars/pilots.yml:1"
    assert told(host, "firewall__level") == (Scope.GROUP, "pilots", where)


def test_what_ansible_resolved_is_believed_over_the_order_of_the_groups(make: Make) -> None:
    """A priority of the syndicate's own turns Ansible's order round."""
    beside = HOSTS + "    pilots:\n      hosts:\n        agneaux-srv-01:\n"
    beside += "    zone:\n      vars: {ansible_group_priority: 10}\n      hosts:\n"
    beside += "        agneaux-srv-01:\n"
    place = make(
        {
            "hosts.yml": beside,
            "group_vars/pilots.yml": "kit__site: pilots\n",
            "group_vars/zone.yml": "kit__site: zone\n",
            "group_vars/alpha.yml": "kit__site: never read\n",
        }
    )
    host = inventory.load(place).hosts["agneaux-srv-01"]
    assert told(host, "kit__site")[1] == host.variables["kit__site"]


def test_a_date_and_an_encrypted_value_are_kept_as_ansible_gives_them(make: Make) -> None:
    changes = {"host_vars/agneaux-pc-01.yml": "a__day: 2027-01-31\na__secret: !vault |\n  abc\n"}
    first = inventory.load(make(changes)).hosts["agneaux-pc-01"]
    again = inventory.load(make(changes)).hosts["agneaux-pc-01"]
    assert told(first, "a__day")[2] == "inventory/host_vars/agneaux-pc-01.yml:1"
    assert again.settings == first.settings


def test_the_places_are_the_same_from_the_cache(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = inventory.load(make())
    monkeypatch.setattr(inventory.reading.ansible, "listing", lambda _: pytest.fail("asked again"))
    kept = inventory.load(make())
    assert {n: h.settings for n, h in kept.hosts.items()} == {
        n: h.settings for n, h in fresh.hosts.items()
    }


def test_a_line_in_the_hosts_file_over_which_a_wider_one_wins_is_an_error(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    """Ansible ranks group_vars/all above the vars of a member's group in hosts.yml."""
    inline = HOSTS.replace(
        "        member_215000027:\n",
        "        member_215000027:\n          vars: {firewall__ports: [80]}\n",
    )
    place = make({"hosts.yml": inline, "group_vars/all.yml": "firewall__ports: [22]\n"})
    assert inventory.load(place).hosts["agneaux-pc-01"].variables["firewall__ports"] == [22]
    [problem] = [p for p in inventory.check(place, measures) if p.severity.value == "error"]
    assert problem.where == "inventory/hosts.yml:7"
    assert "inventory/group_vars/all.yml:1 wins over it" in problem.what
    assert "group_vars/member_215000027.yml" in problem.remedy


@pytest.fixture
def measures(role: Callable[..., Path]) -> Mapping[str, Measure]:
    return kit.load([role("firewall").parent])


def test_every_variable_of_a_measure_has_its_origin_the_default_too(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    host = inventory.load(make()).hosts["agneaux-srv-01"]
    values = {one.name: one for one in kit.values(measures["firewall"], host)}
    assert list(values) == ["kit__mode", "firewall__ports", "firewall__level"]
    ports = values["firewall__ports"]
    assert (ports.default, ports.origin.scope) == (True, Scope.DEFAULT)
    assert ports.origin.where.endswith("roles/firewall/defaults/main.yml")
    assert not values["firewall__level"].default
    assert values["firewall__level"].origin.where == f"{MEMBER}:2"


def test_inventory_show_tells_in_json_where_what_is_no_default_comes_from(
    kitsurvie: Run, make: Make, role: Callable[..., Path]
) -> None:
    place: workspace.Workspace = make()
    role("firewall", under="syndicate/roles")
    said = kitsurvie("inventory", "show", "--workspace", place.root, "--json").document
    [host] = [one for one in said["hosts"] if one["name"] == "agneaux-srv-01"]
    level = host["variables"]["firewall"][-1]
    assert level == {
        "name": "firewall__level", "value": "member", "scope": "member",
        "set_for": "member_215000027", "where": f"{MEMBER}:2",
    }  # fmt: skip

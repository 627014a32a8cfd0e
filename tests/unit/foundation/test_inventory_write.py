"""Adding a host adds lines and touches none: the comments are somebody's."""

from __future__ import annotations

import difflib
import multiprocessing
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kitsurvie import inventory, workspace
from kitsurvie.errors import InventoryError
from kitsurvie.inventory import insertion, removal, territory, write
from kitsurvie.model import Member, MemberKind, Profile

from .conftest import HOSTS, Make


def lines_lost(before: str, after: str) -> list[str]:
    difference = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in difference if line.startswith("- ")]


def add(place: workspace.Workspace, name: str, member: str | Member = "215000027", **more: object):  # type: ignore[no-untyped-def]
    arguments = {"address": "192.0.2.99", "profile": Profile.LAPTOP, **more}
    return write.add_host(place, name, member=member, **arguments)  # type: ignore[arg-type]


def test_a_host_joins_its_member_and_no_line_is_lost(make: Make) -> None:
    place = make({"hosts.yml": HOSTS.replace("hosts:\n", "hosts:  # kept\n")})
    before = (place.inventory / "hosts.yml").read_text("utf-8")
    file = add(place, "agneaux-portable-01", port=2222, user="admin2", jump="adm@192.0.2.1")
    after = file.read_text("utf-8")
    assert lines_lost(before, after) == []
    host = inventory.load(place).hosts["agneaux-portable-01"]
    assert (host.address, host.port, host.user) == ("192.0.2.99", 2222, "admin2")
    assert (host.member, host.epci, host.profile) == ("215000027", "200066389", Profile.LAPTOP)
    assert host.jump == "adm@192.0.2.1"
    assert after.splitlines().index("            agneaux-portable-01: " + after.split(
        "agneaux-portable-01: ")[1].split("\n")[0]) == 9  # fmt: skip


def test_a_new_member_comes_with_its_place_from_the_territory(make: Make) -> None:
    place = make()
    add(place, "granville-srv-01", "215002189")
    add(place, "carantilly-pc-01", "215000985")
    found = inventory.load(place)
    assert found.members["215002189"] == territory.member("215002189")
    assert found.members["215000985"] == territory.member("215000985")
    assert found.epcis["200042604"] == "CC de Granville, Terre et Mer"
    assert lines_lost(HOSTS, (place.inventory / "hosts.yml").read_text("utf-8")) == []


def test_an_empty_workspace_takes_its_first_host(make: Make) -> None:
    place = make(dict.fromkeys(("hosts.yml", "group_vars/member_225005024.yml")))
    add(place, "agneaux-srv-01")
    assert list(inventory.load(place).hosts) == ["agneaux-srv-01"]


def test_a_member_the_territory_does_not_know_is_described_by_the_caller(make: Make) -> None:
    place = make()
    with pytest.raises(InventoryError, match="knows the member 999999998"):
        add(place, "ccas-pc-01", "999999998")
    ccas = Member("999999998", 'CCAS: "Granville", #1', MemberKind.CCAS, "50218", "200042604")
    add(place, "ccas-pc-01", ccas)
    assert inventory.load(place).members["999999998"] == ccas


def test_enrolling_again_changes_the_values_and_nothing_else(make: Make) -> None:
    place = make()
    add(place, "agneaux-srv-01", profile=Profile.SERVER, port=2222)
    after = (place.inventory / "hosts.yml").read_text("utf-8")
    expected = "ansible_host: 192.0.2.99, kit__profile: server, ansible_port: 2222}"
    assert after == HOSTS.replace("ansible_host: 192.0.2.10, kit__profile: server}", expected)
    add(place, "agneaux-srv-01", profile=Profile.SERVER)
    assert inventory.load(place).hosts["agneaux-srv-01"].port == 22


def test_a_host_of_another_member_is_not_moved(make: Make) -> None:
    place = make()
    with pytest.raises(InventoryError, match="already belongs to member_215005026") as caught:
        add(place, "saint-lo-srv-01")
    assert caught.value.where == "inventory/hosts.yml:12"
    with pytest.raises(InventoryError, match="name of a group"):
        add(place, "member_215005026")
    assert (place.inventory / "hosts.yml").read_text("utf-8") == HOSTS


@pytest.mark.parametrize(
    "more",
    [
        {"name": "-oProxyCommand=id"},
        {"name": "a\n    b"},
        {"address": "192.0.2.1 -l root"},
        {"user": "root;id"},
        {"jump": "nowhere"},
        {"port": 0},
        {"member": "215000028"},
    ],
    ids=str,
)
def test_hostile_values_never_reach_the_file(make: Make, more: dict[str, object]) -> None:
    place = make()
    with pytest.raises(InventoryError):
        add(place, **{"name": "agneaux-pc-02", **more})  # type: ignore[arg-type]
    assert (place.inventory / "hosts.yml").read_text("utf-8") == HOSTS


def _enrol(root: Path, number: int) -> None:
    add(workspace.load(root), f"agneaux-pc-{number:03d}", address=f"192.0.2.{number}")


def test_twelve_at_once_all_find_their_place(make: Make) -> None:
    place = make()
    context = multiprocessing.get_context("fork")
    started = [context.Process(target=_enrol, args=(place.root, n)) for n in range(100, 112)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    assert [process.exitcode for process in started] == [0] * 12
    assert len(inventory.load(place).hosts) == 16
    assert not list(place.inventory.glob(".hosts*"))


def test_the_example_takes_one_more_host_in_each_member(tmp_path: Path) -> None:
    from kitsurvie.cli import init

    init.init(tmp_path / "syndicate")
    place = workspace.load(tmp_path / "syndicate")
    before = (place.inventory / "hosts.yml").read_text("utf-8")
    members = inventory.load(place).members
    for number, siren in enumerate(members):
        add(place, f"added-{number}", siren, address=f"198.51.100.{number + 50}")
    assert lines_lost(before, (place.inventory / "hosts.yml").read_text("utf-8")) == []
    hosts = inventory.load(place).hosts
    assert [hosts[f"added-{n}"].member for n in range(len(members))] == list(members)


TEXTS = [
    ("", None),
    ("---\n", None),
    ("---\n# only a comment\n", None),
    ("a:\n", "a:\n  b: {x: 1}\n"),
    ("a: # why\nz: 1\n", "a: # why\n  b: {x: 1}\nz: 1\n"),
    ("a: {}\nz: 1\n", "a:\n  b: {x: 1}\nz: 1\n"),
    ("a: {c: 1}\n", "a: {c: 1, b: {x: 1}}\n"),
    ("a:\n    c: 1\n\n# after\nz: 1\n", "a:\n    c: 1\n    b: {x: 1}\n\n# after\nz: 1\n"),
    ("a:\n  c: |\n    text\n\nz: 1\n", None),
    ("a:\n  c: >-\n    text\n    more", None),
    ("a:\n  c:\nz: 1\n", "a:\n  c:\n  b: {x: 1}\nz: 1\n"),
    ("a:\n  - 1\n", "refused"),
    ("a: text\n", "refused"),
    ("a:\n  c: &x 1\n  d: *x\n", None),
    ("a:\n  é: 'à'\n  c: '€'\nz: 1\n", "a:\n  é: 'à'\n  c: '€'\n  b: {x: 1}\nz: 1\n"),
]


@pytest.mark.parametrize(("before", "after"), TEXTS, ids=lambda text: None)
def test_a_value_is_put_where_it_belongs(before: str, after: str | None) -> None:
    if after == "refused":
        with pytest.raises(InventoryError, match="cannot be added"):
            insertion.put(before, ["a", "b"], {"x": 1}, "hosts.yml")
        return
    found = insertion.put(before, ["a", "b"], {"x": 1}, "hosts.yml")
    assert yaml.safe_load(found)["a"]["b"] == {"x": 1}
    assert after is None or found == after
    assert insertion.put(found, ["a", "b"], {"x": 1}, "hosts.yml") == found


PLAIN = st.text(max_size=20).filter(str.isprintable)


@given(PLAIN, st.dictionaries(PLAIN, PLAIN | st.integers() | st.booleans() | st.none(), min_size=1))
def test_any_plain_value_is_read_back_as_it_was(key: str, value: dict[str, object]) -> None:
    text = "# first\na:\n  kept: 1 # here\n"
    found = insertion.put(text, ["a", "new", key], value, "hosts.yml")
    assert yaml.safe_load(found) == {"a": {"kept": 1, "new": {key: value}}}
    assert lines_lost(text, found) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a:\n  b: {x: 1}\nz: 1\n", "a:\nz: 1\n"),
        ("a:\n  # why\n  b:\n    x: 1\n  c: 1 # kept\n", "a:\n  # why\n  c: 1 # kept\n"),
        ("a:\n  c: 1\n  b:\n\n# after\nz: 1\n", "a:\n  c: 1\n\n# after\nz: 1\n"),
        ("a:\n  b: |\n    text\n    more\nz: 1\n", "a:\nz: 1\n"),
        ("a:\n  c: 1\n", "a:\n  c: 1\n"),
        ("", ""),
        ("a: {b: {x: 1}, c: 1}\n", "refused"),
        ("a:\n  b: &x 1\n  c: *x\n", "refused"),
    ],
)
def test_an_entry_is_taken_out_and_nothing_else(before: str, after: str) -> None:
    if after == "refused":
        with pytest.raises(InventoryError, match="cannot be taken out"):
            removal.take_out(before, ["a", "b"], "hosts.yml")
        return
    assert removal.take_out(before, ["a", "b"], "hosts.yml") == after


def test_a_retired_host_leaves_every_group_and_its_member_stays(make: Make) -> None:
    extra = "---\nall:\n  children:\n    printers:\n      hosts:\n        manche-srv-01:\n"
    place = make({"others.yml": extra})
    assert len(write.remove_host(place, "manche-srv-01")) == 2
    assert write.remove_host(place, "manche-srv-01") == ()
    found = inventory.load(place)
    assert "manche-srv-01" not in found.hosts
    assert len(found.hosts) == 3
    assert lines_lost(HOSTS, (place.inventory / "hosts.yml").read_text("utf-8")) == [
        "-         manche-srv-01: {ansible_host: 198.51.100.5, kit__profile: server}"
    ]
    add(place, "manche-srv-02", "225005024")
    assert "manche-srv-02" in inventory.load(place).hosts

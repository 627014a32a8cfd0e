"""The inventory is what Ansible says it is, quickly the second time, and never half read."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsurvie import inventory
from kitsurvie.errors import InventoryError
from kitsurvie.inventory import ansible, names, structure, syntax
from kitsurvie.inventory.sources import Source
from kitsurvie.model import MemberKind, Profile

from .conftest import HOSTS, Make


def test_a_host_knows_its_member_its_place_its_epci_and_its_profile(make: Make) -> None:
    found = inventory.load(make())
    host = found.hosts["agneaux-srv-01"]
    assert (host.address, host.port, host.user) == ("192.0.2.10", 22, "admin1")
    assert (host.member, host.epci, host.insee) == ("215000027", "200066389", "50002")
    assert host.profile is Profile.SERVER
    assert host.groups == ("epci_200066389", "member_215000027")
    assert found.epcis == {"200066389": "CA Saint-Lô Agglo"}
    assert found.members["225005024"].kind is MemberKind.DEPARTEMENT
    assert found.members["225005024"].epci is None


def test_a_member_s_value_wins_over_its_epci_s(make: Make) -> None:
    hosts = inventory.load(make()).hosts
    assert hosts["agneaux-srv-01"].variables["firewall__level"] == "member"
    assert hosts["saint-lo-srv-01"].variables["firewall__level"] == "epci"


def test_every_variable_is_the_one_plain_ansible_gives(make: Make, tmp_path: Path) -> None:
    place = make(
        {
            "host_vars/agneaux-pc-01.yml": "a: {b: [1, 1.0, true, null, '1']}\nwhen: 2027-03-14\n",
            "group_vars/all.yml": None,
            "group_vars/all/one.yml": "x: 1\nansible_user: admin1\n",
            "group_vars/all/two.yml": "y: !unsafe '{{ raw }}'\nz: '{{ inventory_hostname }}'\n",
            "group_vars/member_215005026.yaml": "never: read\n",
        }
    )
    command = [ansible.program("ansible-inventory"), "-i", place.inventory, "--list"]
    plain = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    theirs = json.loads(plain.stdout)["_meta"]["hostvars"]
    for _ in ("asked", "kept"):
        ours = {name: host.variables for name, host in inventory.load(place).hosts.items()}
        assert ours == theirs
        assert json.dumps(ours, sort_keys=True) == json.dumps(theirs, sort_keys=True)


def test_the_second_read_does_not_ask_ansible(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    place = make()
    first = inventory.load(place)
    monkeypatch.setattr(ansible, "listing", lambda folder: pytest.fail("Ansible was asked"))
    assert inventory.load(place) == first


def test_one_changed_byte_asks_ansible_again(make: Make) -> None:
    place = make()
    first = inventory.load(place)
    file = place.inventory / "group_vars/member_215000027.yml"
    file.write_text(file.read_text("utf-8").replace("level: member", "level: mEmber"), "utf-8")
    second = inventory.load(place)
    assert second.digest != first.digest
    assert second.hosts["agneaux-srv-01"].variables["firewall__level"] == "mEmber"


def test_pinned_keys_and_waivers_are_not_inventories(make: Make) -> None:
    place = make({"known_hosts": "agneaux-srv-01 ssh-ed25519 AAAA\n", "waivers.yml": "w: []\n"})
    assert set(inventory.load(place).hosts) == set(inventory.load(make()).hosts)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "folder"])
def test_a_damaged_cache_is_rebuilt_without_a_word(make: Make, damage: str) -> None:
    place = make()
    good = inventory.load(place)
    [kept] = (place.state / "cache").glob("*.json")
    body = kept.read_bytes()
    if damage == "folder":
        kept.unlink()
        kept.mkdir()
    else:
        broken = {
            "cut": body[: len(body) // 2],
            "flip": body.replace(b"192.0.2.10", b"192.0.2.99"),
            "empty": b"",
        }[damage]
        assert broken != body
        kept.write_bytes(broken)
    assert inventory.load(place) == good
    if damage != "folder":
        assert kept.read_bytes() == body


def test_few_old_inventories_are_kept(make: Make) -> None:
    place = make()
    for number in range(7):
        (place.inventory / "group_vars/all.yml").write_text(f"n: {number}\n", "utf-8")
        inventory.load(place)
    assert len(list((place.state / "cache").iterdir())) == 4


def test_a_state_folder_that_cannot_be_written_does_not_stop_a_reading(make: Make) -> None:
    place = make()
    place.state.write_text("a file where the folder should be", "utf-8")
    assert len(inventory.load(place).hosts) == 4


def test_personal_settings_of_ansible_change_nothing(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "ansible.cfg"
    config.write_text("[defaults]\nhash_behaviour = merge\n", "utf-8")
    monkeypatch.setenv("ANSIBLE_CONFIG", str(config))
    monkeypatch.setenv("ANSIBLE_INVENTORY_ENABLED", "ini")
    place = make({"host_vars/manche-srv-01.yml": "kit__member: {siren: '225005024'}\n"})
    with pytest.raises(InventoryError, match="The kind of the member"):
        inventory.load(place)


BROKEN = [
    ("a tab", "all:\n  hosts:\n\ta: {}\n", 3, "not valid YAML"),
    ("an open bracket", "all:\n  hosts: {a: 1\nx: y\n", 3, "not valid YAML"),
    ("the same key twice", HOSTS.replace("agneaux-pc-01", "agneaux-srv-01"), 9, "twice"),
    ("host for hosts", "all:\n  host:\n    a: {}\n", 2, "means nothing"),
    ("a list of hosts", "all:\n  hosts:\n    - a\n", 3, "must hold names"),
    ("a list at the top", "- a\n", 1, "names and values"),
    ("two documents", "all: {}\n---\nall: {}\n", 2, "more than one"),
    ("an object", "all: !!python/object:os.system {}\n", 1, "not plain data"),
    ("an alias to itself", "all: &a\n  hosts: *a\n", 2, "alias"),
    ("a number for a name", "all:\n  hosts:\n    12: {}\n", 3, "must be a text"),
    ("an impossible date", "all:\n  vars:\n    a: 2027-13-45\n", None, "cannot be read"),
    ("a range", "all:\n  hosts:\n    pc[1:99999999]: {}\n", 3, "cannot be the name"),
    ("a NUL", "all:\n  hosts:\n    a: \x00\n", 3, "not valid YAML"),
    ("a deep hole", "a: " + "[" * 5000, 1, "deeply"),
    ("a group name", "all:\n  children:\n    'a;b': {}\n", 3, "cannot be the name"),
]


@pytest.mark.parametrize(("content", "line", "what"), [b[1:] for b in BROKEN], ids=lambda v: None)
def test_broken_yaml_is_named_with_its_line(
    make: Make, content: str, line: int | None, what: str
) -> None:
    with pytest.raises(InventoryError, match=what) as caught:
        inventory.load(make({"hosts.yml": content}))
    where = "inventory/hosts.yml" + (f":{line}" if line else "")
    assert caught.value.where == where
    assert caught.value.remedy


def test_a_yaml_bomb_is_refused_before_it_expands(make: Make) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(InventoryError, match="expand"):
        inventory.load(make({"group_vars/all.yml": "\n".join(lines)}))


def test_a_file_in_another_encoding_is_named_with_its_line(make: Make) -> None:
    with pytest.raises(InventoryError, match="UTF-8") as caught:
        inventory.load(make({"group_vars/all.yml": b"a: 1\nname: Saint-L\xf4\n"}))
    assert caught.value.where == "inventory/group_vars/all.yml:2"


def test_a_wholly_encrypted_file_is_refused(make: Make) -> None:
    with pytest.raises(InventoryError, match="encrypted"):
        inventory.load(make({"group_vars/all.yml": "$ANSIBLE_VAULT;1.1;AES256\n6162\n"}))


def test_a_huge_variables_file_is_refused(make: Make) -> None:
    with pytest.raises(InventoryError, match="too large"):
        inventory.load(make({"group_vars/all.yml": "a: " + "x" * 3_000_000}))


@pytest.mark.parametrize("name", ["hosts", "site.ini", "inventory.py"])
def test_scripts_and_ini_files_are_not_read(make: Make, name: str) -> None:
    place = make({name: "[web]\nhost1\n"})
    if name == "hosts":
        (place.inventory / name).chmod(0o755)
    with pytest.raises(InventoryError) as caught:
        inventory.load(place)
    assert str(caught.value.where) == f"inventory/{name}"


def test_a_pipe_in_the_inventory_does_not_hang(make: Make) -> None:
    place = make()
    os.mkfifo(place.inventory / "more.yml")
    with pytest.raises(InventoryError, match="regular"):
        inventory.load(place)


def test_a_folder_that_links_to_itself_ends(make: Make) -> None:
    place = make()
    (place.inventory / "again").symlink_to(place.inventory)
    with pytest.raises(InventoryError, match="nested"):
        inventory.load(place)


def hosts_with(old: str, new: str) -> dict[str, str | bytes | None]:
    assert old in HOSTS
    return {"hosts.yml": HOSTS.replace(old, new, 1)}


IMPOSSIBLE = [
    (hosts_with(", kit__profile: server", ""), "has no profile", "hosts.yml:8"),
    (hosts_with("profile: server", "profile: tower"), "profile 'tower'", "hosts.yml:8"),
    (hosts_with("192.0.2.10", "'192.0.2.10;id'"), "neither an IP", "hosts.yml:8"),
    (hosts_with("192.0.2.10", "192.0.2.300"), "neither an IP", "hosts.yml:8"),
    (hosts_with("192.0.2.10", "'-oProxyCommand=id'"), "neither an IP", "hosts.yml:8"),
    (hosts_with("192.0.2.10", "192.0.2.10, ansible_port: 70000"), "port", "hosts.yml:8"),
    (hosts_with("192.0.2.10", "192.0.2.10, ansible_port: true"), "port", "hosts.yml:8"),
    (hosts_with("192.0.2.10", "192.0.2.10, ansible_user: '-l root'"), "account", "hosts.yml:8"),
    (hosts_with("192.0.2.10", "192.0.2.10, ansible_user: '{{ x }}'"), "account", "hosts.yml:8"),
    (hosts_with("192.0.2.10", "192.0.2.10, kit__jump: nobody"), "jump host", "hosts.yml:8"),
    (hosts_with("member_225005024", "clients"), "belongs to no member", "hosts.yml:15"),
    (hosts_with("member_215000027", "member_215000028"), "SIREN", "hosts.yml:6"),
    (
        {"group_vars/member_215000027.yml": "a: 1\n"},
        "Nothing says who the member 215000027",
        "hosts.yml:6",
    ),
    ({"group_vars/epci_200066389.yml": "a: 1\n"}, "does not name the EPCI", "hosts.yml:4"),
    (
        {
            "group_vars/member_215000027.yml": "kit__member: {siren: 215000027, name: A, "
            'kind: commune, insee: "50002"}\n'
        },
        "names the SIREN 215000027",
        "hosts.yml:6",
    ),
    (
        {
            "more.yml": "all:\n  children:\n    member_215000027:\n      hosts:\n"
            "        saint-lo-srv-01:\n"
        },
        "several members",
        "hosts.yml:12",
    ),
]


@pytest.mark.parametrize(("changes", "what", "where"), IMPOSSIBLE, ids=lambda v: None)
def test_a_host_that_cannot_be_served_stops_the_reading(
    make: Make, changes: dict[str, str | bytes | None], what: str, where: str
) -> None:
    place = make(changes)
    for _ in range(2):  # and is not kept as if it were good
        with pytest.raises(InventoryError, match=what) as caught:
            inventory.load(place)
        assert caught.value.where == f"inventory/{where}"


def test_an_epci_beside_its_member_is_refused(make: Make) -> None:
    sibling = """\
all:
  children:
    epci_200066389:
      hosts:
        agneaux-srv-01:
    member_215000027:
      hosts:
        agneaux-srv-01: {kit__profile: server}
"""
    with pytest.raises(InventoryError, match="would let the EPCI's values win"):
        inventory.load(make({"hosts.yml": sibling}))


HOSTILE = st.text(min_size=1).filter(lambda name: not names.good_host(name))


@given(HOSTILE)
def test_no_hostile_name_gets_past_the_files(name: str) -> None:
    content = "all:\n  hosts:\n    " + json.dumps(name) + ": {}\n"
    with pytest.raises(InventoryError):
        structure.read((Source("hosts.yml", content.encode("utf-8", "surrogatepass")),))


@pytest.mark.parametrize(
    "name",
    [
        "-oProxyCommand=id",
        "a b",
        "a;id",
        "a\nb",
        "..",
        "a..b",
        "../a",
        "a/b",
        "$(id)",
        "",
        "é",
        "a\n",
    ],
)
def test_a_name_a_shell_or_a_path_would_misread_is_no_name(name: str) -> None:
    assert not names.good_host(name)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_a_sentence(data: bytes) -> None:
    with contextlib.suppress(InventoryError):
        syntax.parse(data, "hosts.yml")


@pytest.mark.parametrize("siren", ["215000027", "225005024", "200066389"])
def test_real_sirens_have_a_good_key(siren: str) -> None:
    assert names.good_siren(siren)


@given(st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_breaks_the_key(place: int, step: int) -> None:
    digits = list("215000027")
    digits[place] = str((int(digits[place]) + step) % 10)
    assert not names.good_siren("".join(digits))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("admin1@192.0.2.1", ("admin1", "192.0.2.1", 22)),
        ("admin1@gw.example.fr:2222", ("admin1", "gw.example.fr", 2222)),
        ("admin1@[2001:db8::1]:2222", ("admin1", "2001:db8::1", 2222)),
        ("admin1@2001:db8::1", None),
        ("192.0.2.1", None),
        ("-v@192.0.2.1", None),
        ("a@192.0.2.1:0", None),
        ("a@192.0.2.1 -oX", None),
        (None, None),
    ],
)
def test_a_jump_host_is_a_user_an_address_and_a_port(text: object, expected: object) -> None:
    found = names.jump(text)
    assert (found and (found.user, found.address, found.port)) == expected

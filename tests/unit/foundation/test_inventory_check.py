"""`inventory check` finds at its line what would surprise somebody at night."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kitsurvie import inventory, kit
from kitsurvie.inventory import ansible, windows
from kitsurvie.inventory.problem import Severity
from kitsurvie.model import Measure

from .conftest import FILES, HOSTS, Make

KEYS = "\n".join(
    f"{name} ssh-ed25519 AAAA"
    for name in ("agneaux-srv-01", "agneaux-pc-01", "saint-lo-srv-01", "manche-srv-01")
)


@pytest.fixture
def measures(role: Callable[..., Path]) -> Mapping[str, Measure]:
    return kit.load([role("firewall").parent, role("ssh_hardening").parent])


def found(place: object, measures: Mapping[str, Measure]) -> list[tuple[str, str, str]]:
    problems = inventory.check(place, measures)  # type: ignore[arg-type]
    assert all(problem.remedy and problem.what.endswith(".") for problem in problems)
    return [(problem.severity.value, problem.where, problem.what) for problem in problems]


def test_a_sound_inventory_has_no_problem(make: Make, measures: Mapping[str, Measure]) -> None:
    assert found(make({"known_hosts": KEYS}), measures) == []


MEMBER = FILES["group_vars/member_215000027.yml"]
WRONG = [
    ("firewall__prots: [22]", "no variable firewall__prots", "error"),
    ("firewal__ports: [22]", "none named firewal", "error"),
    ("nothing_known__mode: observe", "none named nothing_known", "error"),
    ("docker__version: 3", "none named docker", "warning"),
    ("firewall__ports: '{{ x }}'", "plain data: it holds Jinja", "error"),
    ("firewall__ports: [{a: ['{% x %}']}]", "plain data: it holds Jinja", "error"),
    ("firewall__ports: !vault abc", "plain data: it is encrypted", "error"),
    ("firewall__ports: {1: x}", "plain data: one of its keys", "error"),
    ("firewall__mode: enforced", "firewall__mode is 'enforced'", "error"),
    ("firewall__mode: true", "firewall__mode is True", "error"),
    ("kit__mode: maybe", "kit__mode is 'maybe'", "error"),
    ("firewall__off_reason: ''", "firewall__off_reason is empty", "error"),
    ("kit__windows: []", "kit__windows is no variable of the kit", "warning"),
    ("kit__change_windows: mon 18:00-19:00", "is not a list of windows", "error"),
    ("kit__change_windows: [mon-fry 18:00-19:00]", "'mon-fry' is not a day", "error"),
    ("kit__freezes: [{from: 2027-03-14, until: 2027-03-01, reason: x}]", "ends before", "error"),
    ("kit__expected_up: 'false'", "kit__expected_up is 'false'", "error"),
    ("kit__site: 7", "kit__site is 7", "error"),
    ("kit__guard_delay_s: soon", "kit__guard_delay_s is 'soon'", "error"),
    ("kit__guard_delay_s: 59", "kit__guard_delay_s is 59: too short", "error"),
]


@pytest.mark.parametrize(("text", "what", "severity"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_variable_is_named_with_the_line_that_sets_it(
    make: Make, measures: Mapping[str, Measure], text: str, what: str, severity: str
) -> None:
    place = make({"known_hosts": KEYS, "group_vars/member_215000027.yml": f"{MEMBER}{text}\n"})
    [problem] = found(place, measures)
    assert problem[:2] == (severity, "inventory/group_vars/member_215000027.yml:3")
    assert what in problem[2]


@pytest.mark.parametrize(
    "text",
    [
        "firewall__ports: [http://relay:hunter2@proxy.example.org:3128]",
        "firewall__ports: [{via: 'https://relay:hunter2@proxy.example.org'}]",
    ],
)
def test_a_password_in_an_address_is_refused_and_never_shown(
    make: Make, measures: Mapping[str, Measure], text: str
) -> None:
    place = make({"known_hosts": KEYS, "group_vars/member_215000027.yml": f"{MEMBER}{text}\n"})
    [problem] = inventory.check(place, measures)
    assert problem.where == "inventory/group_vars/member_215000027.yml:3"
    assert "/etc/apt/auth.conf.d" in problem.remedy
    assert "hunter2" not in f"{problem.what} {problem.remedy}"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("firewall__prots: [22]", "firewall__ports"),
        ("firewal__ports: [22]", "firewall__ports"),
        ("firewall__mod: observe", "firewall__mode"),
        ("kit__jmp: a@b", "kit__jump"),
    ],
)
def test_a_typo_is_answered_with_the_right_name(
    make: Make, measures: Mapping[str, Measure], wrong: str, right: str
) -> None:
    place = make({"known_hosts": KEYS, "host_vars/agneaux-pc-01.yml": wrong})
    [problem] = inventory.check(place, measures)
    assert right in problem.remedy
    assert problem.where == "inventory/host_vars/agneaux-pc-01.yml:1"


def test_variables_that_come_through_a_merge_key_are_looked_at(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    text = "base: &base {firewall__prots: [22]}\n<<: *base\n"
    text = FILES["group_vars/all.yml"] + text
    place = make({"known_hosts": KEYS, "group_vars/all.yml": text})
    assert "firewall__prots" in found(place, measures)[0][2]


@pytest.mark.parametrize("word", ["off", "'off'"])
def test_off_without_a_reason_is_an_error_whoever_says_it(
    make: Make, measures: Mapping[str, Measure], word: str
) -> None:
    text = f"{MEMBER}firewall__mode: {word}\n"
    place = make({"known_hosts": KEYS, "group_vars/member_215000027.yml": text})
    [problem] = found(place, measures)  # once, not once per machine of the member
    assert problem[0] == "error"
    assert "nothing says why" in problem[2]
    path = place.inventory / "host_vars/agneaux-srv-01.yml"
    path.parent.mkdir()
    path.write_text("firewall__off_reason: a hardware one stands in front\n", "utf-8")
    [problem] = found(place, measures)
    assert "agneaux-pc-01" in problem[2]


def test_every_structural_problem_is_told_not_the_first_only(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    hosts = HOSTS.replace(", kit__profile: server", "").replace("192.0.2.11", "no address")
    problems = found(make({"known_hosts": KEYS, "hosts.yml": hosts}), measures)
    assert [where for severity, where, what in problems] == [
        f"inventory/hosts.yml:{line}" for line in (8, 9, 12, 15)
    ]


def test_a_file_for_a_group_that_does_not_exist_is_told(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    place = make({"known_hosts": KEYS, "group_vars/member_215000072.yml": "a: 1\nb: 2\n"})
    assert found(place, measures) == [
        (
            "warning",
            "inventory/group_vars/member_215000072.yml",
            "This file is for the group member_215000072, which does not exist.",
        )
    ]


def test_two_hosts_at_one_address_are_told_unless_a_jump_host_parts_them(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    same = HOSTS.replace("192.0.2.20", "192.0.2.10")
    [problem] = found(make({"known_hosts": KEYS, "hosts.yml": same}), measures)
    assert problem[0] == "warning"
    assert "same address, 192.0.2.10 port 22" in problem[2]
    parted = same.replace("192.0.2.10", "192.0.2.10, kit__jump: adm@192.0.2.1", 1)
    assert found(make({"known_hosts": KEYS, "hosts.yml": parted}), measures) == []


def test_a_host_without_a_pinned_key_is_not_enrolled(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    keys = KEYS.replace("manche-srv-01", "manche-srv-011")
    problems = found(make({"known_hosts": keys}), measures)
    assert [(severity, what.split(":")[0]) for severity, _, what in problems] == [
        ("warning", "manche-srv-01 is not enrolled")
    ]


def test_errors_come_before_warnings(make: Make, measures: Mapping[str, Measure]) -> None:
    place = make({"host_vars/agneaux-pc-01.yml": "firewall__prots: 1\n"})
    severities = [problem.severity for problem in inventory.check(place, measures)]
    assert severities == [Severity.ERROR, Severity.WARNING]


def test_a_file_that_cannot_be_read_is_a_problem_and_no_exception(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    assert found(make({"hosts.yml": "all: ["}), measures)[0][:2] == (
        "error",
        "inventory/hosts.yml:1",
    )


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("mon-fri 18:00-23:00", ["2026-11-23T18:00", "2026-11-27T22:59"], ["2026-11-23T23:00"]),
        ("sat,sun 00:00-24:00", ["2026-11-22T00:00", "2026-11-21T23:59"], ["2026-11-23T00:00"]),
        (
            "fri-mon 22:00-04:00",
            ["2026-11-22T22:00", "2026-11-24T03:59", "2026-11-20T23:00"],
            ["2026-11-20T03:00", "2026-11-22T21:59", "2026-11-24T22:00"],
        ),
    ],
)
def test_a_window_holds_its_hours_even_past_midnight(
    text: str, inside: list[str], outside: list[str]
) -> None:
    from datetime import datetime

    window = windows.window(text)
    assert [window.holds(datetime.fromisoformat(m)) for m in inside] == [True] * len(inside)
    assert [window.holds(datetime.fromisoformat(m)) for m in outside] == [False] * len(outside)
    for moment in map(datetime.fromisoformat, outside):
        opening = window.opens_after(moment)
        assert opening > moment
        assert window.holds(opening)


@pytest.mark.parametrize(
    "text",
    ["mon 18:00-18:00", "mon 25:00-26:00", "18:00-20:00", "lun 18:00-20:00", "mon 1:00-2:00", 5,
     "mon-fri 24:00-25:00", "", "mon, tue 18:00-19:00", "- 18:00-19:00"],
)  # fmt: skip
def test_a_window_that_means_nothing_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"is not|begins and ends|after 24"):
        windows.window(text)


def test_a_file_that_ansible_passes_over_is_an_error(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    member = "kit__member: {siren: '1'}\n"
    place = make(
        {
            "known_hosts": KEYS,
            "group_vars/member_215000027.yaml": member,
            "group_vars/all/one.yml": "a: 1\n",
            "group_vars/all/two.yml": "b: 1\n",
        }
    )
    assert [(where, what) for _, where, what in found(place, measures)] == [
        (
            "inventory/group_vars/all.yml",
            "Ansible does not read this file, because inventory/group_vars/all exists.",
        ),
        (
            "inventory/group_vars/member_215000027.yaml",
            "Ansible does not read this file, because inventory/group_vars/member_215000027.yml "
            "exists.",
        ),
    ]
    variables = inventory.load(place).hosts["agneaux-srv-01"].variables
    assert variables["kit__member"]["siren"] == "215000027"
    assert "ansible_user" not in variables


def test_a_sound_inventory_once_checked_is_read_without_ansible(
    make: Make, measures: Mapping[str, Measure], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = make({"known_hosts": KEYS})
    inventory.check(place, measures)
    monkeypatch.setattr(ansible, "listing", lambda folder: pytest.fail("Ansible was asked"))
    assert len(inventory.load(place).hosts) == 4


def test_a_file_name_of_any_bytes_is_shown(make: Make, measures: Mapping[str, Measure]) -> None:
    place = make({"known_hosts": KEYS})
    (place.inventory / "group_vars" / os.fsdecode(b"caf\xe9\x1b.yml")).write_text("a: 1\n", "utf-8")
    [problem] = found(place, measures)
    assert problem[1].isprintable()
    assert "which does not exist" in problem[2]
    assert problem[2].isprintable()


SPEC = """\
---
argument_specs:
  main:
    options:
      firewall__level: {type: str, choices: [kit, strict]}
      firewall__ports:
        type: list
        elements: dict
        options:
          port: {type: raw, required: true}
          reason: {type: str, required: true}
      firewall__phone: {type: str}
      firewall__delay: {type: int}
      firewall__open: {type: bool}
"""
DEFAULTS = """\
---
{id}__ports: []
{id}__level: kit
{id}__phone: ""
{id}__delay: 3
{id}__open: true
"""


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("firewall__phone: 0233000000", "firewall__phone is 40632320."),
        ("firewall__phone: 22:00", "firewall__phone is 1320."),
        ("firewall__open: 'yes'", "firewall__open is 'yes'."),
        ("firewall__delay: '3'", "firewall__delay is '3'."),
        ("firewall__delay: true", "firewall__delay is True."),
        ("firewall__level: loose", "firewall__level is 'loose'."),
        ("firewall__ports: 22", "firewall__ports is 22."),
        ("firewall__ports: [22]", "Entry 1 of firewall__ports is 22."),
        ("firewall__ports: [{port: 22}]", "Entry 1 of firewall__ports has no reason."),
        (
            "firewall__ports: [{port: 22, reason: x, form: y}]",
            "Entry 1 of firewall__ports holds 'form', which means nothing.",
        ),
        (
            "firewall__ports: [{port: 22, reason: 7}]",
            "The reason of entry 1 of firewall__ports is 7.",
        ),
        ("firewall__ports: [{port: 22, reason: x}]", None),
        ("firewall__phone: '0233000000'", None),
        ("firewall__open: no", None),
    ],
)
def test_a_value_of_another_type_than_its_variable_wants_is_refused(
    make: Make, role: Callable[..., Path], line: str, what: str | None
) -> None:
    folder = role("firewall", defaults=DEFAULTS)
    (folder / "meta").mkdir()
    (folder / "meta" / "argument_specs.yml").write_text(SPEC)
    files = {
        "known_hosts": KEYS,
        "group_vars/member_215005026.yml": f"{SAINT_LO}{line}\n",
        "group_vars/epci_200066389.yml": EPCI,
        "group_vars/member_215000027.yml": AGNEAUX,
    }
    place = make(files)
    said = found(place, kit.load([folder.parent]))
    wanted = [("error", "inventory/group_vars/member_215005026.yml:2", what)] if what else []
    assert said == wanted


SAINT_LO = FILES["group_vars/member_215005026.yml"]
EPCI = FILES["group_vars/epci_200066389.yml"].split("\n")[0] + "\n"
AGNEAUX = MEMBER.split("\n")[0] + "\n"


def test_a_group_beside_the_members_may_not_set_what_would_win_over_theirs(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    beside = HOSTS + "    zone:\n      children:\n        pilots:\n          hosts:\n"
    beside += "            agneaux-pc-01:\n    manche:\n      children:\n        epci_200066389:\n"
    changes = {
        "known_hosts": KEYS,
        "hosts.yml": beside,
        "group_vars/pilots.yml": "firewall__mode: enforce\nsite_colour: blue\n",
        "group_vars/manche.yml": "firewall__level: all of the Manche\n",
    }
    (problem,) = found(make(changes), measures)
    assert problem[:2] == ("error", "inventory/group_vars/pilots.yml:1")
    assert "beside the member of agneaux-pc-01" in problem[2]

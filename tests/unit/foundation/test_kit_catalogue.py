"""A measure is read strictly, resolved by levels, and stamped by what it would do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kitsurvie import kit, workspace
from kitsurvie.errors import KitError
from kitsurvie.model import Mode, Profile, Step

from .conftest import MEASURE

Role = Callable[..., Path]


def test_a_measure_is_its_folder(role: Role) -> None:
    path = role()
    measure = kit.load([path.parent])["firewall"]
    assert measure.step is Step.SECURE
    assert measure.title.fr == "Un pare-feu"
    assert measure.profiles == {Profile.SERVER, Profile.DESKTOP}
    assert measure.norms == ("BP-028/v2.0/R33", "GH-42/2017/17")
    assert measure.defaults == {"firewall__ports": [22], "firewall__level": "kit"}
    assert (measure.lockout_risk, measure.reboot, measure.path) == (True, False, path)


def test_a_measure_is_applied_unless_it_says_that_it_is_verified_only(role: Role) -> None:
    path = role()
    assert kit.load([path.parent])["firewall"].applies is True
    role(measure=MEASURE.replace("reboot: false", "reboot: false\napplies: false"))
    assert kit.load([path.parent])["firewall"].applies is False


def test_what_a_measure_reads_besides_its_own_is_part_of_what_it_is_given(role: Role) -> None:
    path = role(measure=MEASURE.replace("reboot: false", 'reboot: false\nreads: ["*__mode"]'))
    measure = kit.load([path.parent])["firewall"]
    given = {"updates__mode": "off", "updates__proxy": "x", "kit__mode": "enforce", "site": 1}
    assert kit.read_besides(measure, given) == {"updates__mode": "off", "kit__mode": "enforce"}
    alone = dataclasses.replace(measure, reads=())
    assert kit.read_besides(alone, given) == {}


def test_measures_come_in_the_order_of_the_programme(role: Role) -> None:
    for identity, step in (("a_support", "support"), ("z_secure", "secure"), ("b_tools", "tools")):
        roles = role(identity, step=step).parent
    assert list(kit.load([roles])) == ["z_secure", "b_tools", "a_support"]


def test_a_workspace_s_measure_replaces_the_kit_s(role: Role) -> None:
    shipped = role().parent
    own = role(under="own", defaults="---\nfirewall__ports: [2222]\n").parent
    assert kit.load([own, shipped])["firewall"].defaults == {"firewall__ports": [2222]}


def test_an_ordinary_role_is_no_measure(role: Role) -> None:
    path = role()
    (path / "measure.yml").unlink()
    assert kit.load([path.parent, path / "nowhere"]) == {}


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("step: {step}\n", "", "'step' is missing"),
        ("reboot: false", "reboot: false\nrebot: true", "'rebot' is unknown"),
        ("reboot: false", "reboot: no way", "not true or false"),
        ("reboot: false", "reboot: false\nreads: kit__mode", "list of names of variables"),
        ("reboot: false", "reboot: false\nreads: ['*']", "list of names of variables"),
        ("id: {id}", "id: other", "folder is named"),
        ("id: {id}", "id: [1]", "not a name"),
        ("step: {step}", "step: panic", "not one of secure"),
        ("step: {step}", "step: [secure]", "not one of secure"),
        ("{{fr: Un pare-feu, en: A firewall}}", "{{fr: Un pare-feu}}", "'en' is missing in title"),
        ("{{fr: Un pare-feu, en: A firewall}}", "{{fr: '', en: x}}", "title.fr"),
        ("[server, desktop]", "[server, phone]", "'phone'"),
        ("[server, desktop]", "[]", "profiles"),
        ("BP-028/v2.0/R33", "R33", "'R33'"),
        ("footprint: {{}}", "footprint: {{disk_mb: a lot}}", "disk_mb"),
        ("footprint: {{}}", "footprint: {{disc_mb: 1}}", "'disc_mb'"),
        ("id: {id}", "id: {id}: x", "not valid YAML"),
    ],
)
def test_a_flaw_in_a_measure_is_named_with_its_file(
    role: Role, old: str, new: str, what: str
) -> None:
    assert old in MEASURE
    path = role(measure=MEASURE.replace(old, new))
    with pytest.raises(KitError, match=what) as caught:
        kit.load([path.parent])
    assert str(caught.value.where).startswith(str(path / "measure.yml"))


@pytest.mark.parametrize(
    ("defaults", "what"),
    [
        ("other__ports: 1\n", "no variable of its own"),
        ("firewall__mode: observe\n", "no variable of its own"),
        ("firewall__x: '{{{{ y }}}}'\n", "Jinja"),
        ("firewall__x: {{1: a}}\n", "not a text"),
        ("firewall__x: .inf\n", "finite"),
        ("firewall__x: !vault abc\n", "not valid YAML"),
    ],
)
def test_a_default_is_plain_data_of_its_own_measure(role: Role, defaults: str, what: str) -> None:
    path = role(defaults=defaults)
    with pytest.raises(KitError, match=what) as caught:
        kit.load([path.parent])
    assert str(caught.value.where).startswith(str(path / "defaults/main.yml"))


def test_a_measure_without_defaults_file_is_incomplete(role: Role) -> None:
    path = role()
    (path / "defaults/main.yml").unlink()
    with pytest.raises(KitError, match="cannot be read"):
        kit.load([path.parent])


def test_a_host_s_own_values_lie_over_the_defaults(role: Role) -> None:
    measure = kit.load([role().parent])["firewall"]
    variables = {
        "firewall__level": "member",
        "firewall__mode": "off",
        "firewall__off_reason": "new box",
        "firewalls__level": "another measure's",
        "kit__mode": "enforce",
    }
    assert kit.resolve(measure, variables) == {"firewall__ports": [22], "firewall__level": "member"}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, Mode.OBSERVE),
        ({"kit__mode": "enforce"}, Mode.ENFORCE),
        ({"kit__mode": "enforce", "firewall__mode": "observe"}, Mode.OBSERVE),
        ({"kit__mode": "enforce", "firewall__mode": False}, Mode.OFF),
        ({"firewall__mode": "off"}, Mode.OFF),
    ],
)
def test_the_measure_s_mode_wins_over_the_kit_s(
    role: Role, variables: dict[str, Any], expected: Mode
) -> None:
    assert kit.mode(kit.load([role().parent])["firewall"], variables) is expected


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("tasks/main.yml", True),
        ("defaults/main.yml", True),
        ("handlers/main.yml", True),
        ("templates/etc/nftables.conf.j2", True),
        ("files/page.html", True),
        ("meta/argument_specs.yml", True),
        ("checks/test_firewall.py", False),
        ("scenarios/drift_flush.sh", False),
        ("measure.yml", False),
        ("tasks/__pycache__/x.pyc", False),
        ("tasks/main.yml~", False),
        ("tasks/.main.yml.swp", False),
    ],
)
def test_a_stamp_changes_with_what_is_applied_only(role: Role, file: str, counts: bool) -> None:
    path = role()
    measure = kit.load([path.parent])["firewall"]
    before = kit.stamp_base(measure, path.parent)
    (path / file).parent.mkdir(parents=True, exist_ok=True)
    with (path / file).open("a", encoding="utf-8") as handle:
        handle.write("# one more line\n")
    assert (kit.stamp_base(measure, path.parent) != before) is counts


def test_a_stamp_changes_with_the_tasks_that_plays_share(role: Role, tmp_path: Path) -> None:
    measure = kit.load([role().parent])["firewall"]
    playbooks = tmp_path / "playbooks"
    (playbooks / "tasks").mkdir(parents=True)
    before = kit.stamp_base(measure, playbooks)
    (playbooks / "tasks/guard_arm.yml").write_text("---\n[]\n", "utf-8")
    assert kit.stamp_base(measure, playbooks) != before
    moved = dataclasses.replace(measure, path=measure.path.rename(tmp_path / "elsewhere"))
    after = kit.stamp_base(measure, playbooks)
    assert kit.stamp_base(moved, playbooks) != after  # the role's own files are in it
    assert len(before) == 64


def test_a_stamp_is_of_the_values_and_not_of_their_order() -> None:
    one = kit.stamp("base", {"a": [1, 2], "b": {"x": True, "y": None}})
    assert one == kit.stamp("base", {"b": {"y": None, "x": True}, "a": [1, 2]})
    assert one != kit.stamp("base", {"a": [2, 1], "b": {"x": True, "y": None}})
    assert one != kit.stamp("base", {"a": [1, 2], "b": {"x": 1, "y": None}})
    assert one != kit.stamp("other", {"a": [1, 2], "b": {"x": True, "y": None}})
    assert len(one) == 32
    assert int(one, 16) >= 0


def test_the_measures_that_travel_with_the_package_are_whole() -> None:
    for identity, measure in kit.load([workspace.shipped("roles")]).items():
        assert measure.id == identity

"""Who is let in after a deployment, and no more after a machine is switched off or gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kitsurvie import workspace
from kitsurvie.cli import spool as command
from kitsurvie.model import Host, Inventory, Profile
from kitsurvie.workspace import Workspace

from .test_keys import public

SET_UP = {"self_observation__server": "192.0.2.1", "self_observation__mode": "enforce"}


def inventory(**variables: dict[str, Any]) -> Inventory:
    profiles = {"srv-1": Profile.SERVER}
    hosts = {
        name.replace("_", "-"): Host(
            name.replace("_", "-"), "192.0.2.9", 22, "a", None, "1", None, "50002",
            profiles.get(name.replace("_", "-"), Profile.LAPTOP), (), values,
        )
        for name, values in variables.items()
    }  # fmt: skip
    return Inventory(hosts, {}, {}, "")


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    (tmp_path / "kitsurvie.toml").write_text('spool = "spool"')
    (tmp_path / "spool" / "keys").mkdir(parents=True)
    return workspace.load(tmp_path)


def let_in(place: Workspace) -> list[str]:
    lines = (place.spool / "keys" / "list").read_text().splitlines()
    return [line.split()[0] for line in lines]


def test_the_keys_that_were_seen_are_let_in(
    place: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    estate = inventory(pc_1=SET_UP, pc_2=SET_UP)
    assert command.collect(place, estate, {"pc-1": public(1), "pc-2": public(2)}) == []
    assert let_in(place) == ["pc-1", "pc-2"]
    assert capsys.readouterr().err == "Spool keys, let in: pc-1, pc-2\n"
    # a deployment that saw one of them changes nothing for the other
    assert command.collect(place, estate, {"pc-1": public(1)}) == []
    assert (let_in(place), capsys.readouterr().err) == (["pc-1", "pc-2"], "")


@pytest.mark.parametrize(
    "values",
    [{**SET_UP, "self_observation__mode": "off"}, {"self_observation__mode": "enforce"}],
)
def test_one_that_is_switched_off_is_let_in_no_more_and_its_key_is_forgotten(
    place: Workspace, capsys: pytest.CaptureFixture[str], values: dict[str, Any]
) -> None:
    command.collect(place, inventory(pc_1=SET_UP, pc_2=SET_UP), {"pc-1": public(1)})
    command.collect(place, inventory(pc_1=values, pc_2=SET_UP), {})
    assert let_in(place) == []
    assert not (place.spool_keys / "pc-1.pub").exists()
    assert "no longer let in: pc-1" in capsys.readouterr().err


def test_a_server_never_hands_in(place: Workspace) -> None:
    command.collect(place, inventory(srv_1=SET_UP), {"srv-1": public(1)})
    assert not (place.spool / "keys" / "list").exists()


def test_what_is_no_key_is_told_and_the_others_are_let_in(place: Workspace) -> None:
    estate = inventory(pc_1=SET_UP, pc_2=SET_UP)
    seen = {"pc-1": 'command="id" ' + public(1), "pc-2": public(2)}
    (odd,) = command.collect(place, estate, seen)
    assert odd.startswith("pc-1 hands nothing in")
    assert let_in(place) == ["pc-2"]


def test_without_a_spool_here_the_keys_wait_for_one(place: Workspace) -> None:
    (place.spool / "keys").rmdir()
    (odd,) = command.collect(place, inventory(pc_1=SET_UP), {"pc-1": public(1)})
    assert "There is no spool here" in odd
    assert (place.spool_keys / "pc-1.pub").is_file()
    assert command.collect(place, inventory(pc_1=SET_UP), {}) == []

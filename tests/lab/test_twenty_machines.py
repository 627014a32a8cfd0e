"""A night over twenty machines, six of which are PCs that sleep, and the morning after it.

Slow: the machines of the session are four.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.lab.handing_in import Estate, estate_of
from tests.lab.spine import Said

from kitsurvie import lab

pytestmark = pytest.mark.slow
ASLEEP = 6


@pytest.fixture(scope="module")
def estate(
    spare_request: lab.Request, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Estate]:
    """Twenty machines, the first server of which is the control node that six PCs hand in to."""
    folder = tmp_path_factory.mktemp("twenty") / "lab"
    try:
        fleet = lab.up(folder, replace(spare_request, machines=20, enrolled=True))
        control = next(m for m in fleet.machines if m.profile == "server")
        pcs = [m for m in fleet.machines if m.profile != "server"][:ASLEEP]
        with estate_of(fleet, control, pcs) as made:
            made.enforce()
            yield made
    finally:
        lab.down(folder)


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def standings(said: Said) -> dict[str, str]:
    return {host["name"]: host["standing"] for host in said.document["hosts"]}


def morning(estate: Estate, folder: Path) -> tuple[Said, str]:
    """What a sysadmin opens at 8 am: the document, and the words of the page."""
    page = folder / "morning.html"
    said = estate.desk.run(
        "compliance", "show", "--json", "--output", f"html={page}", "--lang", "en"
    )
    text = re.sub(r"<[^>]*>", " ", page.read_text(encoding="utf-8"))
    return said, html.unescape(text)


def night(estate: Estate) -> Said:
    """All asleep are off, and the run over everything ends."""
    for pc in estate.pcs:
        lab.sleep(estate.fleet, pc.name, unplug=True)
    said = estate.desk.run("compliance", "run", "--json")
    asleep = {pc.name for pc in estate.pcs}
    stands = standings(said)
    assert len(stands) == 20
    assert {name for name, how in stands.items() if how == "absent"} == asleep, said.why()
    assert set(stands.values()) == {"absent", "drift"}, said.why()
    assert said.code == 1, "drifts of those that answered, and not 3 for those asleep"
    for name in asleep:
        host = said.host(name)
        assert (host["state"], host["seen"]) == ("unreachable", None)
        assert [c for m in host["measures"] for c in m["checks"] if c["status"] == "drift"] == []
        assert moment(host["last_seen"]["at"]) < moment(said.document["started"])
    return said


def awake(estate: Estate) -> dict[str, int]:
    """They are switched on and look at themselves; the moment of each, by its own clock."""
    for pc in estate.pcs:
        lab.wake(estate.fleet, pc.name)
    return {pc.name: estate.observe(pc) for pc in estate.pcs}


def told(said: Said, moments: dict[str, int]) -> None:
    """The morning has the verdicts of all six, as of when they looked."""
    for name, at in moments.items():
        host = said.host(name)
        assert (host["standing"], host["own_look"]) == ("drift", True), host
        assert moment(host["seen"]) == pytest.approx(at, abs=60)
        assert moment(host["seen"]) > moment(said.document["ended"])
        statuses: set[Any] = {c["status"] for m in host["measures"] for c in m["checks"]}
        assert {"compliant", "drift"} <= statuses
        assert not statuses & {"error", "unknown"}


def test_six_sleep_at_night_and_the_morning_has_what_they_said_of_themselves(
    estate: Estate, tmp_path: Path
) -> None:
    night(estate)
    before, page = morning(estate, tmp_path)
    for pc in estate.pcs:
        assert before.host(pc.name)["standing"] == "absent"
        assert pc.name in page
    moments = awake(estate)
    taken = estate.ingest()["taken"]
    assert {one["host"] for one in taken} == set(moments)
    after, page = morning(estate, tmp_path)
    told(after, moments)
    for name in moments:
        seen = datetime.fromisoformat(after.host(name)["seen"]).astimezone()
        assert f"looked at itself {seen:%Y-%m-%d %H:%M}" in page
    assert (
        f"{ASLEEP} machines have looked at themselves" in estate.desk.run("compliance", "show").out
    )


def test_the_same_when_the_control_node_is_away_until_later(estate: Estate, tmp_path: Path) -> None:
    # the control node is one of the twenty: it is away only once the night is over
    night(estate)
    lab.sleep(estate.fleet, estate.control.name, unplug=True)
    try:
        moments = awake(estate)
        assert {len(estate.outbox(pc)) for pc in estate.pcs} == {1}
        still, _ = morning(estate, tmp_path)
        assert {still.host(name)["standing"] for name in moments} == {"absent"}
    finally:
        lab.wake(estate.fleet, estate.control.name)
    estate.point()
    for pc in estate.pcs:
        for _ in range(10):
            estate.hand_in(pc)
            if not estate.outbox(pc):
                break
            time.sleep(2)
    assert {one["host"] for one in estate.ingest()["taken"]} == set(moments)
    after, _ = morning(estate, tmp_path)
    told(after, moments)

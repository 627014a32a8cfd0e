"""An import of files that are written for the test, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kitsurvie.assets import places
from kitsurvie.assets.pseudonym import Pseudonyms
from kitsurvie.assets.readers import Item, Tally, read
from kitsurvie.assets.record import Record, Refusal
from kitsurvie.cli.assets import clock

DATA = Path(__file__).parents[2] / "data"
SAMPLE = DATA / "manche_sample"
INVENTORIES = DATA / "inventories"
TODAY = date(2026, 11, 1)
PEOPLE = Pseudonyms(b"k" * 32)
MANCHE = places.known()


@pytest.fixture(autouse=True, scope="module")
def the_day() -> Iterator[None]:
    """It is the day after the made-up syndicate's exports, whatever the clock says."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clock, "today", lambda: TODAY)
        yield


@pytest.fixture
def these_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is today, for a test whose inventories are of these days."""
    monkeypatch.setattr(clock, "today", date.today)


@dataclass(frozen=True)
class Came:
    """What a reading gave."""

    items: Sequence[Item]
    tally: Tally

    @property
    def records(self) -> list[Record]:
        return [item for item in self.items if isinstance(item, Record)]

    @property
    def refusals(self) -> list[Refusal]:
        return [item for item in self.items if isinstance(item, Refusal)]

    @property
    def record(self) -> Record:
        """The only one."""
        assert [item for item in self.items if not isinstance(item, Record)] == []
        (one,) = self.records
        return one

    @property
    def refusal(self) -> Refusal:
        """The only one."""
        (one,) = self.items
        assert isinstance(one, Refusal)
        return one


def came(*paths: Path | str, **options: Any) -> Came:
    """Read, and hold that nothing was lost on the way."""
    tally = Tally()
    known = {"places": MANCHE, "pseudonyms": PEOPLE, "today": TODAY, **options}
    items = list(read(paths, tally=tally, **known))
    assert tally.records == tally.kept + tally.refused == len(items)
    assert tally.refused == sum(isinstance(item, Refusal) for item in items)
    return Came(items, tally)


@dataclass(frozen=True)
class Desk:
    """A folder to write exports into and read them from."""

    folder: Path

    def csv(self, text: str | bytes, **options: Any) -> Came:
        return self.file("export.csv", text, **options)

    def json(self, document: Mapping[str, Any] | str | bytes, **options: Any) -> Came:
        raw = document if isinstance(document, str | bytes) else json.dumps(document)
        return self.file("one.json", raw, **options)

    def xml(self, content: str, **options: Any) -> Came:
        whole = f"<REQUEST><CONTENT>{content}</CONTENT><DEVICEID>pc-1</DEVICEID></REQUEST>"
        return self.file("one.xml", whole, **options)

    def file(self, name: str, raw: str | bytes, **options: Any) -> Came:
        path = self.folder / name
        path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
        return came(path, **options)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def inventory(**content: Any) -> dict[str, Any]:
    """A GLPI inventory with these parts."""
    return {
        "deviceid": "pc-1-2026-10-29-09-00-00",
        "content": {"versionclient": "GLPI-Agent_v1.11", **content},
    }

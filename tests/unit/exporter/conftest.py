"""The example syndicate with a ledger of its own, and what the exporter says of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from kitsurvie import inventory, workspace
from kitsurvie.assets import packing
from kitsurvie.assets.record import Kind, Origin, Record, Source
from kitsurvie.cli import init
from kitsurvie.cli.exporter import gathering
from kitsurvie.cli.exporter.sources import Sources
from kitsurvie.ledger import Ledger
from kitsurvie.ledger import Record as Look
from kitsurvie.ledger.importing import Day, Entry, Importing
from kitsurvie.metrics import Part
from kitsurvie.model import Evidence
from kitsurvie.workspace import Workspace

SAINT_LO, AGNEAUX, BAUDRE, CARANTILLY = "215005026", "215000027", "215000340", "215000985"
AGGLO = "200066389"
NOW = time.time()

Numbers = Mapping[tuple[str, ...], float]
Ask = Callable[..., Numbers]


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace that `kitsurvie init` makes, its inventory read once."""
    root = tmp_path_factory.mktemp("example") / "syndicate"
    init.init(root)
    consult = 'consultations:\n  - {all: true, body: a committee, on: "2026-03-12"}\n'
    (root / "inventory" / "consultations.yml").write_text(consult)
    inventory.load(workspace.load(root))
    return root


@pytest.fixture
def root(example: Path, tmp_path: Path) -> Path:
    """A copy of it, with an SQLite ledger in its place."""
    return Path(shutil.copytree(example, tmp_path / "syndicate"))


@pytest.fixture
def place(root: Path, ledger_url: str) -> Workspace:
    """The same with a ledger on each database in turn."""
    (root / "kitsurvie.toml").write_text(f'ledger = "{ledger_url}"\n')
    return workspace.load(root)


@pytest.fixture
def book(place: Workspace) -> Iterator[Ledger]:
    ledger = Ledger.open(place.ledger_url)
    yield ledger
    ledger.close()


def read(place: Workspace, part: str) -> Part:
    """A part of what is exported, out of the ledger opened to be read alone."""
    ledger = Ledger.open(place.ledger_url, reading=True)
    try:
        with ledger.at_once():
            (found,) = gathering.gather(Sources(place, ledger, now=NOW), [part])
    finally:
        ledger.close()
    return found


@pytest.fixture
def ask(place: Workspace) -> Ask:
    """The values of a metric by those of its labels."""

    def asked(part: str, metric: str) -> Numbers:
        found = read(place, part)
        assert found.up, found.why
        return {
            tuple(one.labels.values()): one.value
            for one in found.samples
            if one.metric == f"kitsurvie_{metric}"
        }

    return asked


def look(host: str, *verdicts: object, ago_days: float = 0.1, **more: object) -> Look:
    """A look at a host; one that gave no verdict did not answer."""
    evidence = Evidence(host, {}) if verdicts else None
    given = {"verdicts": verdicts, "evidence": evidence, "detail": "", **more}
    return Look(host, NOW - ago_days * 86_400, **given)  # type: ignore[arg-type]


def machine(number: int, member: str, user: str, kind: Kind, **more: object) -> Record:
    """A machine as an inventory knows it, seen yesterday."""
    named = {"name": f"PC-{number:05d}", "serial": f"CZC{number:07d}", "user": user, **more}
    return Record(
        Source.GLPI_CSV, str(number), Origin("made-up"), member=member, kind=kind,
        bought=date.today() - timedelta(days=730), **named,
    )  # type: ignore[arg-type]  # fmt: skip


def take(ledger: Ledger, records: list[Record], days: list[Day] | None = None) -> None:
    """One import of these."""

    def give(importing: Importing) -> None:
        for one in records:
            kept = packing.named(one)
            importing.entry(
                Entry("record", kept.source.value, kept.register, kept.key, packing.pack(kept))
            )
        for day in days or ():
            importing.day(day)

    ledger.register.take("a test", ["made-up"], give)


def used(one: Record, days: range) -> list[Day]:
    """The machine's user sat at it so many days ago."""
    today = date.today()
    return [
        Day((today - timedelta(days=n)).isoformat(), one.member or "", "", one.name, one.serial,
            one.user)
        for n in days
    ]  # fmt: skip


def equipped_twice(
    first: int, member: str, people: int, doubles: int
) -> tuple[list[Record], list[Day]]:
    """So many people of a member with a desktop; the first of them have a laptop that sleeps."""
    records, days = [], []
    for n in range(people):
        user = f"p-{first + n:016x}"
        desktop = machine(first + 2 * n, member, user, Kind.DESKTOP)
        records.append(desktop)
        days += used(desktop, range(1, 31))
        if n < doubles:
            laptop = machine(first + 2 * n + 1, member, user, Kind.LAPTOP)
            records.append(laptop)
            days += used(laptop, range(1, 2))
    return records, days

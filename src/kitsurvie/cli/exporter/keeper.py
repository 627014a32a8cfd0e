"""What is shown, and its renewal in the background: one reader at a time, others see what stands.

Every so often the marks of the ledger, the register and the inventory are looked at, which costs
milliseconds; only the parts of which something changed are read again, each reading in a process of
its own (docs/adr/0015).
"""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from kitsurvie import __version__, workspace
from kitsurvie.cli.exporter.parts import (
    DAY,
    HOUR,
    INVENTORY,
    OF,
    PARTS,
    REGISTER,
    RUNS,
    SLOW,
    TARGETS,
)
from kitsurvie.cli.exporter.reading import MOST_S, Reading, ledger_of
from kitsurvie.errors import KitsurvieError, LedgerError
from kitsurvie.metrics import Part, Snapshot, bounded, render
from kitsurvie.workspace import CONFIG_NAME, Workspace

# how long the first scrapes wait for the first numbers: Prometheus gives up after ten seconds
FIRST_S = 8.0
# what hangs for so long beyond its due is told as down
LATE_S = MOST_S + 120.0


class Reads(Protocol):
    """What reads some parts."""

    def read(self, names: set[str]) -> Reading:
        """Read these parts. Raises RunError."""

    def end(self) -> None:
        """End what is under way."""


@dataclass(slots=True)
class Shown:
    """What is served now. `targets` is None where they are not known, `troubles` say what is down.

    `pages` are the expositions by what was asked for, made once each.
    """

    snapshot: Snapshot
    targets: list[dict[str, Any]] | None = None
    troubles: tuple[str, ...] = ()
    pages: dict[tuple[str, bool], tuple[bytes, str]] = field(default_factory=dict)


class Keeper:
    """Keeps what is shown; `start` renews it until `end`. `tell` is told what is down, once."""

    def __init__(
        self, root: Path, reader: Reads, every_s: float, tell: Callable[[str], None]
    ) -> None:
        self._root = root
        self._reader = reader
        self._every_s = every_s
        self._tell = tell
        self._parts: dict[str, Part] = {}
        self._marks: dict[str, str] = {}
        self._targets: list[dict[str, Any]] | None = None
        self._troubles: dict[str, str] = {}
        self._told: set[str] = set()
        self._ledger_up: bool | None = None
        self._began: float | None = None
        self._seconds: float | None = None
        self._ending = threading.Event()
        self._first = threading.Event()
        self._lock = threading.Lock()
        self._shown = Shown(Snapshot(__version__), troubles=("The first reading is under way.",))
        self._thread = threading.Thread(target=self._renew, name="reader", daemon=True)

    def start(self) -> None:
        """Read for the first time, and from then on whenever something changed."""
        self._thread.start()

    def end(self) -> None:
        """Renew nothing more."""
        self._ending.set()
        self._reader.end()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def shown(self) -> Shown:
        """What stands; the first readers wait a few seconds for the first numbers."""
        self._first.wait(FIRST_S)
        began = self._began
        if began is not None and time.monotonic() - began > LATE_S:
            why = "The ledger does not answer: a reading hangs."
            down = tuple(Part(name, why=why) for name in PARTS)
            return Shown(Snapshot(__version__, down, ledger_up=False), troubles=(why,))
        return self._shown

    def page(self, accept: str, *, packed: bool = False) -> tuple[bytes, str]:
        """The exposition in the format that is asked for, and its content type; by gzip or not."""
        shown = self.shown()
        with self._lock:
            key = (accept, packed)
            if key not in shown.pages:
                if len(shown.pages) > _FORMATS:
                    shown.pages.clear()
                content, content_type = render(shown.snapshot, accept)
                shown.pages[key] = gzip.compress(content, 5) if packed else content, content_type
            return shown.pages[key]

    # -- renewing -----------------------------------------------------------------------------

    def _renew(self) -> None:
        while not self._ending.is_set():
            self._began = time.monotonic()
            try:
                self.refresh()
            except Exception as error:  # the last wall: a fault of ours must not end the renewal
                self._trouble("exporter", f"A fault of kitsurvie itself ({type(error).__name__}).")
                self._publish()
            self._began = None
            self._first.set()
            self._ending.wait(self._every_s)

    def refresh(self) -> None:
        """Look at the marks, and read what is not as it was: what is quick before the rest."""
        begun = time.monotonic()
        try:
            place = workspace.load(self._root)
        except KitsurvieError as error:
            self._all_down(str(error))
            self._publish()
            return
        marks = self._marks_now(place)
        due = {name for name, mark in marks.items() if self._marks.get(name) != mark}
        for some in (due - SLOW, due & SLOW):
            if some and not self._ending.is_set():
                self._read(some, marks)
                self._seconds = time.monotonic() - begun
                self._publish()
                self._first.set()
        if not due:
            self._publish()

    def _marks_now(self, place: Workspace) -> Mapping[str, str]:
        """What each part is made of, as it is now; a ledger that cannot be read has no mark."""
        now = time.time()
        of = {
            INVENTORY: _files(place),
            DAY: time.strftime("%Y-%m-%d", time.localtime(now)),
            HOUR: str(int(now // 3600)),
        }
        why = ""
        try:
            with ledger_of(place) as (book, trouble):
                if book is None:
                    why = str(trouble)
                else:
                    marks = book.marks()
                    of |= {RUNS: marks.runs, REGISTER: marks.register}
        except LedgerError as error:
            why = str(error)
        self._ledger_up = not why
        self._trouble("ledger", why)
        found = {}
        for name, on in OF.items():
            if on <= of.keys():
                found[name] = "\n".join(of[one] for one in sorted(on))
            else:
                self._down(name, f"The part {name} cannot be read: {why}")
        return found

    def _read(self, names: set[str], marks: Mapping[str, str]) -> None:
        try:
            reading = self._reader.read(names)
        except KitsurvieError as error:
            for name in names:
                self._down(name, f"The part {name} cannot be read: {error}")
            return
        if reading.ledger:
            self._ledger_up = False
            self._trouble("ledger", reading.ledger)
        for part in reading.parts:
            self._parts[part.name] = part
            self._trouble(part.name, part.why)
            # what failed is tried again, whether anything changed or not
            self._marks[part.name] = marks[part.name] if part.up else ""
        if TARGETS in names:
            self._targets = reading.targets
            self._trouble(TARGETS, reading.why)
            self._marks[TARGETS] = "" if reading.why else marks[TARGETS]

    def _down(self, name: str, why: str) -> None:
        self._marks.pop(name, None)
        self._trouble(name, why)
        if name == TARGETS:
            self._targets = None
        else:
            self._parts[name] = Part(name, why=why)

    def _all_down(self, why: str) -> None:
        self._ledger_up = False
        for name in OF:
            self._down(name, f"The part {name} cannot be read: {why}")

    def _trouble(self, name: str, why: str) -> None:
        """Keep what is wrong, and say it when it is new."""
        if not why:
            self._troubles.pop(name, None)
        elif self._troubles.get(name) != why:
            self._troubles[name] = why
            # what is ended is not broken
            if not self._ending.is_set():
                self._tell(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {why}")

    def _publish(self) -> None:
        listed = [self._parts[name] for name in PARTS if name in self._parts]
        parts = bounded(listed)
        for part, before in zip(parts, listed, strict=True):
            if before.up:
                self._trouble(part.name, part.why)
        snapshot = Snapshot(__version__, parts, self._ledger_up, time.time(), self._seconds)
        self._shown = Shown(snapshot, self._targets, tuple(self._troubles.values()))


# so many ways to ask for the same are kept
_FORMATS = 8


def _files(place: Workspace) -> str:
    """The files that decide what an inventory says, by name, time and size: not read."""
    found = []
    for path in sorted(place.inventory.rglob("*")):
        try:
            told = path.stat()
        except OSError:
            continue
        found.append(f"{path}:{told.st_mtime_ns}:{told.st_size}")
    config = (place.root / CONFIG_NAME).stat()
    return str(hash((*found, config.st_mtime_ns)))

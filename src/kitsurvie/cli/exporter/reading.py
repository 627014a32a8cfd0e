"""One reading of some parts, in this process or in one of its own, whose memory ends with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kitsurvie import workspace
from kitsurvie.cli.exporter.parts import TARGETS
from kitsurvie.errors import KitsurvieError, LedgerError, RunError
from kitsurvie.ledger import Ledger
from kitsurvie.metrics import Part, Sample
from kitsurvie.workspace import Workspace

# beyond that something hangs: a register of a million records takes minutes
MOST_S = 600.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of a reading. `ledger` is why the ledger is down, empty while it is up.

    `targets` is None where they were not asked for or cannot be told, which `why` says.
    """

    parts: tuple[Part, ...] = ()
    ledger: str = ""
    targets: list[dict[str, Any]] | None = None
    why: str = ""


@contextmanager
def ledger_of(place: Workspace) -> Iterator[tuple[Ledger | None, LedgerError | None]]:
    """The ledger, to read alone, for the time it takes; or why there is none."""
    try:
        book = Ledger.open(place.ledger_url, reading=True)
    except LedgerError as error:
        yield None, error
        return
    try:
        yield book, None
    finally:
        book.close()


def read(place: Workspace, names: Collection[str], factors: Path | None) -> Reading:
    """Read these parts here and now, all of one moment of the ledger."""
    # what reads the register is large, and is not read by the process that serves
    from kitsurvie.cli.exporter import gathering, targets
    from kitsurvie.cli.exporter.sources import Sources

    with ledger_of(place) as (book, trouble), _one_moment(book):
        sources = Sources(place, book, trouble, factors)
        wanted = [name for name in gathering.GATHERERS if name in names]
        parts = tuple(gathering.gather(sources, wanted))
        found, why = None, ""
        if TARGETS in names:
            try:
                found = targets.groups(sources)
            except KitsurvieError as error:
                why = f"The targets cannot be told: {error}"
    return Reading(parts, str(trouble or ""), found, why)


@contextmanager
def _one_moment(book: Ledger | None) -> Iterator[None]:
    if book is None:
        yield
        return
    with book.at_once():
        yield


# -- in a process of its own ------------------------------------------------------------------


class Reader:
    """Starts a process for each reading, and ends it when the exporter ends."""

    def __init__(self, root: Path, factors: Path | None) -> None:
        self._asked = {"workspace": str(root), "factors": str(factors.resolve()) if factors else ""}
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def read(self, names: Collection[str]) -> Reading:
        """Read these parts. Raises RunError when the process gives nothing, or not in time."""
        with self._lock:
            if self._ended:
                raise RunError("The exporter ends.", remedy="Start it again.")
            # a session of its own: Ctrl-C reaches the exporter, which ends it
            process = self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "kitsurvie.cli.exporter"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                start_new_session=True,
            )  # fmt: skip
        try:
            request = json.dumps({**self._asked, "parts": sorted(names)}).encode()
            answer, complaints = process.communicate(request, timeout=MOST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise RunError(
                f"A reading took longer than {MOST_S:.0f} seconds and was ended.",
                remedy="Look at the load of this machine and of the ledger's database.",
            ) from None
        finally:
            with self._lock:
                self._process = None
        if process.returncode != 0:
            last = complaints.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise RunError(
                f"A reading ended with code {process.returncode} ({' '.join(last)}).",
                remedy="The same, once and here: kitsurvie exporter --textfile -",
            )
        return taken(json.loads(answer))

    def end(self) -> None:
        """End what is under way, and start nothing more."""
        with self._lock:
            self._ended = True
            if self._process is not None:
                with suppress(ProcessLookupError):
                    self._process.terminate()


def given(reading: Reading) -> dict[str, Any]:
    """A reading as it goes from one process to the other."""
    return {
        "parts": [
            {
                "name": part.name, "why": part.why,
                "samples": [[s.metric, dict(s.labels), s.value] for s in part.samples],
            }
            for part in reading.parts
        ],
        "ledger": reading.ledger, "targets": reading.targets, "why": reading.why,
    }  # fmt: skip


def taken(document: Mapping[str, Any]) -> Reading:
    """The same, taken out again."""
    parts = tuple(
        Part(one["name"], tuple(Sample(*s) for s in one["samples"]), one["why"])
        for one in document["parts"]
    )
    return Reading(parts, document["ledger"], document["targets"], document["why"])


def main() -> None:
    """What the process does: one request on standard input, one reading on standard output."""
    with suppress(OSError):
        # nobody waits for it: the night does
        os.nice(10)
    asked = json.load(sys.stdin)
    factors = Path(asked["factors"]) if asked["factors"] else None
    try:
        reading = read(workspace.load(Path(asked["workspace"])), asked["parts"], factors)
    except KitsurvieError as error:
        sys.exit(str(error))
    json.dump(given(reading), sys.stdout, ensure_ascii=True)
    sys.stdout.flush()

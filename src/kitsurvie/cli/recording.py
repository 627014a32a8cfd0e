"""The ledger for the time of a command, and a run that ends in it as it really ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kitsurvie.cli.context import who
from kitsurvie.errors import LedgerError, UsageError
from kitsurvie.ledger import Ledger, Record, Run, RunState
from kitsurvie.model import Host

# a transaction waits for the disk: so many looks, or seconds of them, share one
TOGETHER = 50
TOGETHER_S = 1.0


@contextmanager
def opened(url: str) -> Iterator[Ledger]:
    """The ledger, closed at the end."""
    ledger = Ledger.open(url)
    try:
        yield ledger
    finally:
        ledger.close()


def past_run(ledger: Ledger, number: int | None) -> Run:
    """The run of that number, or the newest that looked at hosts. Raises a LedgerError."""
    if number is not None:
        return ledger.run(number)
    for past in ledger.runs("compliance", "deploy", limit=1):
        return past
    raise UsageError("No run is recorded yet.", remedy="Make one: kitsurvie compliance run")


@contextmanager
def recorded(
    ledger: Ledger, kind: str, asked: dict[str, Any], hosts: Iterable[Host]
) -> Iterator[Run]:
    """A run of these hosts in the ledger, ended as it really ended."""
    number = ledger.start_run(kind, who(), asked, (host.name for host in hosts))
    try:
        yield ledger.run(number)
    except BaseException:
        # a ledger that cannot be written must not hide what went wrong; without an end the run
        # reads as cut short all the same
        with suppress(LedgerError):
            ledger.end_run(number, RunState.INTERRUPTED)
        raise
    ledger.end_run(number, RunState.ENDED)


@contextmanager
def looks(ledger: Ledger, run: int) -> Iterator[Callable[[Record], None]]:
    """Write looks at hosts on which nothing was changed, several at a time, the rest at the end.

    What a power cut loses was only seen, and is seen again.
    """
    waiting: list[Record] = []
    since = time.monotonic()

    def write() -> None:
        nonlocal since
        if waiting:
            ledger.record(run, waiting)
            waiting.clear()
        since = time.monotonic()

    def take(record: Record) -> None:
        waiting.append(record)
        if len(waiting) >= TOGETHER or time.monotonic() - since >= TOGETHER_S:
            write()

    try:
        yield take
    finally:
        write()

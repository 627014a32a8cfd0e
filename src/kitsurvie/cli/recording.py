"""The ledger for the time of a command, and a run that ends in it as it really ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kitsurvie.cli.context import who
from kitsurvie.ledger import Ledger, Run, RunState


@contextmanager
def opened(url: str) -> Iterator[Ledger]:
    """The ledger, closed at the end."""
    ledger = Ledger.open(url)
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def recorded(ledger: Ledger, kind: str, asked: dict[str, Any]) -> Iterator[Run]:
    """A run in the ledger, ended as it really ended."""
    number = ledger.start_run(kind, who(), asked)
    try:
        yield ledger.run(number)
    except BaseException:
        ledger.end_run(number, RunState.INTERRUPTED)
        raise
    ledger.end_run(number, RunState.ENDED)

"""A copy of a ledger that others are writing to: of one moment, and whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from kitsurvie.errors import LedgerError


def copy(url: str, to: Path) -> bool:
    """Copy the ledger to the new file `to` by SQLite's own means; its writers are not held up.

    False when there is nothing to copy: no ledger yet, or one in a database of its own, which has
    its own means. Raises LedgerError when it cannot be read or is damaged.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        return False
    path = Path(parsed.database or ":memory:")
    if parsed.get_backend_name() != "sqlite" or not path.is_file():
        return False
    try:
        with (
            closing(sqlite3.connect(path, timeout=20)) as live,
            closing(sqlite3.connect(to)) as still,
        ):
            live.backup(still)
            still.execute("PRAGMA journal_mode=DELETE")
            (said,) = still.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise LedgerError(
            f"The ledger cannot be copied: {said}.",
            where=str(path),
            remedy="The earlier backups are untouched: look at the disk, then bring one back.",
        )
    return True

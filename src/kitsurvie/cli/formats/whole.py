"""Files that are there whole, or as they were: never half-written, not even after a power cut."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from kitsurvie.workspace import put_in_place

# A report names hosts and what is wrong with them: the account that writes it and one group may
# read it, others of the machine may not, whatever the umask says.
REPORT = 0o640
# Counts without a name, for node_exporter, which runs under an account of its own.
COUNTS = 0o644

# no .prom at its end: node_exporter reads every file that has one
_PART = ".part"


def write(path: Path, content: bytes, mode: int) -> None:
    """Write a file beside its place, to the disk, then put it there. Raises OSError."""
    place = path.resolve()
    _refuse_special(place)
    put_in_place(place, content, mode)


def prove(path: Path) -> None:
    """Raise OSError unless a file could be put there now: tried, for root may write anywhere."""
    place = path.resolve()
    _refuse_special(place)
    handle, name = tempfile.mkstemp(prefix=".kitsurvie-", suffix=_PART, dir=place.parent)
    os.close(handle)
    Path(name).unlink()


def _refuse_special(place: Path) -> None:
    """A device or a pipe would be replaced by a file; a folder cannot be."""
    try:
        mode = place.stat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(None, "it is a folder")
    if not stat.S_ISREG(mode):
        raise OSError(None, "it is no ordinary file")

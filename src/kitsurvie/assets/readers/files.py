"""The files that are named, and those in the folders that are named. Nothing else is opened.

A link inside a folder, a pipe or a device is told and left alone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kitsurvie.assets.readers.text import shown


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read. `name` can be printed; `trouble` says why it is not to be opened."""

    path: str
    name: str
    trouble: str = ""
    named: bool = False  # by whoever imports, who may name a link


class Unreadable(Exception):
    """The file cannot be read: the words go on after its name. `line` is where that shows."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.line = line


def walk(paths: Iterable[Path | str]) -> Iterator[Found]:
    """Every file of these files and folders, in the order of names, one at a time."""
    for path in paths:
        text = os.fspath(path)
        try:
            told = Path(text).stat()
        except (OSError, ValueError) as error:
            yield Found(text, shown(text), f"cannot be found: {_words(error)}")
            continue
        if stat.S_ISDIR(told.st_mode):
            yield from _folder(text)
        else:
            yield Found(text, shown(text), _trouble(told.st_mode), named=True)


def _folder(folder: str) -> Iterator[Found]:
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as entries:
                found = sorted((entry.name, entry.is_symlink()) for entry in entries)
        except OSError as error:
            yield Found(here, shown(here), f"cannot be looked into: {_words(error)}")
            continue
        below = []
        for name, linked in found:
            path = f"{here}/{name}"
            if linked:
                yield Found(path, shown(path), "is a link; name the file that it leads to")
                continue
            try:
                mode = Path(path).lstat().st_mode
            except OSError as error:
                yield Found(path, shown(path), f"cannot be found: {_words(error)}")
                continue
            if stat.S_ISDIR(mode):
                below.append(path)
            else:
                yield Found(path, shown(path), _trouble(mode))
        waiting.extend(reversed(below))


def _trouble(mode: int) -> str:
    return "" if stat.S_ISREG(mode) else "is a pipe, a device or a socket, and is not opened"


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or "its name cannot be used"


def opened(found: Found) -> tuple[BinaryIO, int]:
    """The file, open, and its size in bytes. Raises Unreadable."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if found.named else os.O_NOFOLLOW)
    try:
        file = os.fdopen(os.open(found.path, flags), "rb")
    except (OSError, ValueError) as error:
        raise Unreadable(f"cannot be opened: {_words(error)}") from error
    told = os.fstat(file.fileno())
    if not stat.S_ISREG(told.st_mode):
        file.close()
        raise Unreadable(_trouble(told.st_mode))
    return file, told.st_size


def whole(file: BinaryIO, size: int, limit: int) -> bytes:
    """All bytes of an inventory, `limit` at the most. Raises Unreadable."""
    too_large = Unreadable(
        f"is larger than {limit} bytes, which is no inventory of one device; if it is, raise the "
        "limit"
    )
    if size > limit:
        raise too_large
    data = file.read(limit + 1)
    if len(data) > limit:
        raise too_large
    return data

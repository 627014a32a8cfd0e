"""The slots of the spool: one folder a machine, written by its key alone (roles/spool/files/spool).

Who wrote a file is known by the folder it lies in, never by what it says.
"""

from __future__ import annotations

import errno
import grp
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kitsurvie.errors import WorkspaceError
from kitsurvie.inventory.names import good_host

# more than the spooler takes, with its line; what is larger was not written by it
MAX_BYTES = (1 << 20) + 512
# what the spooler leaves in one slot, and some: a flood is looked at in several turns
MAX_FILES = 64

_HEAD = re.compile(
    rb"kitsurvie-spooled 1 ([0-9]{1,11}) ([0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9._-]{1,15})?|-)\n"
)
_NAME = re.compile(r"[0-9]{20}")


@dataclass(frozen=True, slots=True)
class Spooled:
    """One file of a slot. `arrived` (by our own clock) and `address` are the spooler's words.

    `trouble` says why it cannot be what the spooler wrote; `data` is then what could be read.
    """

    host: str
    path: Path
    arrived: int = 0
    address: str = ""
    data: bytes = b""
    trouble: str = ""


class Unreadable(WorkspaceError):
    """Something that was handed in cannot be read, for a reason of ours; it is still there."""


def waiting(spool: Path) -> Iterator[tuple[str, Iterator[Spooled]]]:
    """Each machine's slot with what waits in it, the oldest first, read one at a time.

    Raises WorkspaceError when the spool is not there or cannot be read; the files of a slot raise
    Unreadable, and the other slots go on.
    """
    folder = spool / "slots"
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if good_host(entry.name))
    except OSError as error:
        raise WorkspaceError(
            f"The spool cannot be read: {error.strerror}.",
            where=str(folder),
            remedy="Set it up with playbooks/spool.yml, or name it: `spool` in kitsurvie.toml.",
        ) from error
    for name in names:
        slot = folder / name
        # a link would lend one machine the slot of another
        if slot.is_dir() and not slot.is_symlink():
            yield name, _of(name, slot)


def _of(host: str, slot: Path) -> Iterator[Spooled]:
    try:
        files = sorted(path for path in slot.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise _unread(host, slot, error) from error
    for path in files[:MAX_FILES]:
        one = _read(host, path)
        if one is not None:
            yield one


def _read(host: str, path: Path) -> Spooled | None:
    """What a file holds; None once the spooler has taken it away for a newer one."""
    if not _NAME.fullmatch(path.name):
        return Spooled(host, path, trouble="it is no file of the spooler's")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return Spooled(host, path, trouble="it is no file")
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        # a link, a socket: the spooler makes none
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            return Spooled(host, path, trouble="it is no file")
        raise _unread(host, path, error) from error
    head = _HEAD.match(data)
    if head is None or len(data) > MAX_BYTES:
        return Spooled(host, path, data=data, trouble="it is no file of the spooler's")
    address = "" if head[2] == b"-" else head[2].decode("ascii")
    return Spooled(host, path, int(head[1]), address, data[head.end() :])


def _unread(host: str, path: Path, error: OSError) -> Unreadable:
    remedy = "It is still there: mend the disk, then again."
    if isinstance(error, PermissionError):
        remedy = (
            f"It is still there. Whoever runs this must be in the group {_group(path)} (`id` says "
            "it, from the next login on); if that is so, play playbooks/spool.yml again, which "
            "gives that group what was handed in before."
        )
    return Unreadable(
        f"What {host} handed in cannot be read: {error.strerror}.", where=str(path), remedy=remedy
    )


def _group(path: Path) -> str:
    """The group that the slots belong to, which a slot or a file in it may have lost."""
    slots = next(folder for folder in path.parents if folder.name == "slots")
    number = slots.stat().st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def take_away(one: Spooled) -> None:
    """It is dealt with: it must not come back. A folder in the place of a file is moved out too.

    Raises WorkspaceError when it cannot be removed: it would be read for ever.
    """
    try:
        if one.path.is_dir() and not one.path.is_symlink():
            one.path.rename(one.path.with_name(f".not-ours-{one.path.name[:40]}"))
        else:
            one.path.unlink(missing_ok=True)
    except OSError as error:
        raise WorkspaceError(
            f"What was handed in cannot be removed: {error.strerror}.",
            where=str(one.path),
            remedy="The account that runs kitsurvie must be in the group that the slots belong to.",
        ) from error

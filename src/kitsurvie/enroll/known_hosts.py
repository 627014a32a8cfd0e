"""The workspace's pinned host keys: `inventory/known_hosts`, in OpenSSH's own format.

A key belongs to a machine, not to its address of the day: the first field is the inventory name
(or `jump:<address>:<port>` for a jump host), one line per name and key type, sorted. Comments,
marked lines (`@revoked`) and hashed names are kept as they are.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kitsurvie.enroll.host_key import HOST_KEY_TYPES, PublicKey, parse
from kitsurvie.errors import EnrolError
from kitsurvie.workspace import put_in_place

Pins = dict[str, tuple[PublicKey, ...]]


def read(path: Path) -> Pins:
    """The pinned keys by name; empty when there is no file yet. Raises EnrolError."""
    return _parse(path)[1]


def keys_of(path: Path, name: str) -> tuple[PublicKey, ...]:
    """The keys pinned for `name`, none when it has not been enrolled."""
    return read(path).get(name, ())


def pin(
    path: Path, name: str, keys: Iterable[PublicKey], *, replace: bool
) -> tuple[PublicKey, ...]:
    """Pin `keys` for `name` and return what was pinned before, so that it can be put back.

    Without `replace`, keys already pinned stay and a different key of the same type is refused
    with EnrolError; with it, the new keys are the only ones left.
    """
    wanted = tuple(sorted(set(keys)))
    with _locked(path):
        kept, pins = _parse(path)
        before = pins.get(name, ())
        if not replace:
            refuse_change(name, before, wanted, where=str(path))
            wanted = tuple(sorted({*before, *wanted}))
        if wanted:
            pins[name] = wanted
        else:
            pins.pop(name, None)
        if wanted != before:
            _write(path, kept, pins)
    return before


def refuse_change(
    name: str, pinned: Iterable[PublicKey], offered: Iterable[PublicKey], *, where: str
) -> None:
    """Raise EnrolError when an offered key is of a pinned type and is another key."""
    by_type = {key.type: key for key in pinned}
    for key in offered:
        old = by_type.get(key.type)
        if old is not None and old != key:
            raise changed(name, (old,), key, where=where)


def changed(
    name: str, pinned: Iterable[PublicKey], offered: PublicKey, *, where: str
) -> EnrolError:
    """The one refusal for a key that is not the one pinned, wherever it is met."""
    old = ", ".join(f"{key.type} {key.fingerprint}" for key in pinned)
    option = "--as-jump --replace-key" if name.startswith("jump:") else "--replace-key"
    return EnrolError(
        f"The key of {name} changed: it was {old}, it is {offered.type} {offered.fingerprint}.",
        where=where,
        remedy="If the machine was reinstalled, re-enrol it with "
        f"{option}; if not, somebody may be in between: go no further.",
    )


def line(name: str, key: PublicKey) -> str:
    """One known_hosts line, without its end of line."""
    return f"{name} {key.type} {key.body}"


def _parse(path: Path) -> tuple[list[str], Pins]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return [], {}
    except (OSError, UnicodeDecodeError) as error:
        raise EnrolError(
            "The pinned host keys cannot be read.",
            where=f"{path}: {error}",
            remedy="Mend the file or bring it back from your backup; without it nothing is safe.",
        ) from error
    kept: list[str] = []
    pins: Pins = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        if not raw.strip() or raw.lstrip().startswith(("#", "@", "|")):
            kept.append(raw)
            continue
        names, _, rest = raw.strip().partition(" ")
        try:
            key = parse(rest, types=HOST_KEY_TYPES)
        except ValueError as error:
            raise EnrolError(
                f"A line of the pinned host keys is not one: {error}.",
                where=f"{path}:{number}",
                remedy="Take the line out or mend it: name, key type, base64.",
            ) from error
        for name in names.split(","):
            pins[name] = tuple(sorted({*pins.get(name, ()), key}))
    return kept, pins


def _write(path: Path, kept: list[str], pins: Pins) -> None:
    lines = [*kept, *(line(name, key) for name in sorted(pins) for key in pins[name])]
    content = "".join(f"{text}\n" for text in lines)
    put_in_place(path, content.encode("utf-8"), 0o644)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time. The folder carries the lock: the file itself is replaced."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise EnrolError(
            "The pinned host keys cannot be written.",
            where=f"{path}: {error.strerror}",
            remedy="The inventory's folder must be there and be yours to write.",
        ) from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    except OSError as error:
        raise EnrolError(
            "The pinned host keys cannot be written.",
            where=f"{path}: {error.strerror}",
            remedy="Make room on the disk and the folder writable, then run the same command.",
        ) from error
    finally:
        os.close(folder)

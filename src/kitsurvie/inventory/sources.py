"""Which files of an inventory folder Ansible reads, their bytes, and the digest of them all.

The rules are Ansible's: files of the folder and its sub-folders are inventories, but for hidden
ones, some endings and `group_vars`/`host_vars`, whose files are variables. Files of ours that lie
beside them (pinned keys, waivers, attestations, territory) are not inventories, and
`ansible.environment` tells Ansible so.
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kitsurvie.errors import InventoryError

NOT_INVENTORIES = (
    r"^known_hosts",
    r"^waivers\.ya?ml$",
    r"^attestations\.ya?ml$",
    r"^consultations\.ya?ml$",
    r"^territory$",
)
_ENDINGS_IGNORED = re.compile(
    r"(\.pyc|\.pyo|\.swp|\.bak|~|\.rpm|\.md|\.txt|\.rst|\.orig|\.cfg|\.retry)$"
)
_OURS = re.compile("|".join(NOT_INVENTORIES))
_YAML = {"", ".yml", ".yaml", ".json"}
_VARIABLE_FOLDERS = ("group_vars", "host_vars")

# A variables file is repeated for every host of its group, an inventory file is read once.
MAX_HOSTS_BYTES = 64 * 1024 * 1024
MAX_VARIABLES_BYTES = 2 * 1024 * 1024
MAX_FILES = 100_000
MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Source:
    """One file: `shown` is its path as people write it, from the folder above the inventory.

    `scope` is empty for a hosts file, else the group or host whose variables it holds, and
    `kind` says which: `hosts`, `group` or `host`.
    """

    shown: str
    data: bytes
    kind: str = "hosts"
    scope: str = ""


def read(folder: Path) -> tuple[Source, ...]:
    """Every file that decides what the inventory says, hosts files first, each sorted by path.

    Raises InventoryError when the folder is missing, or a file cannot be read, is too large, is
    not a regular file, or would be executed by Ansible.
    """
    if not folder.is_dir():
        raise InventoryError(
            "The inventory folder does not exist.",
            where=str(folder),
            remedy="Make it, or mend the setting `inventory` of kitsurvie.toml.",
        )
    try:
        found = [*_hosts(folder, folder.name, 0)]
        for name in _VARIABLE_FOLDERS:
            if (folder / name).is_dir():
                found.extend(_variables(folder / name, f"{folder.name}/{name}", name[:-5]))
    except OSError as error:
        raise InventoryError(
            f"The inventory cannot be read: {error.strerror or error}.",
            where=str(error.filename or folder),
            remedy="Mend the rights of that file or folder, or move it out of the inventory.",
        ) from error
    return tuple(found)


def digest(sources: tuple[Source, ...], *salt: str) -> str:
    """SHA-256, in hexadecimal, of the salt and of every file's name and bytes."""
    state = hashlib.sha256()
    for text in salt:
        state.update(f"{len(text)}:{text}".encode())
    for source in sources:
        name = source.shown.encode()
        state.update(b"%d:%b%d:" % (len(name), name, len(source.data)))
        state.update(source.data)
    return state.hexdigest()


def _entries(folder: Path, depth: int) -> list[Path]:
    if depth > MAX_DEPTH:
        raise InventoryError(
            "The inventory's folders are nested too deeply.",
            where=str(folder),
            remedy="Look for a link that points back to a folder above it.",
        )
    found = sorted(folder.iterdir())
    if len(found) > MAX_FILES:
        raise InventoryError(
            f"This folder holds more than {MAX_FILES} files.",
            where=str(folder),
            remedy="Keep only inventory files here.",
        )
    return found


def _hosts(folder: Path, shown: str, depth: int) -> Iterator[Source]:
    for path in _entries(folder, depth):
        name = path.name
        if name.startswith(".") or name in (*_VARIABLE_FOLDERS, "vars_plugins"):
            continue
        if _OURS.search(name) or _ENDINGS_IGNORED.search(name):
            continue
        here = f"{shown}/{_printable(name)}"
        if path.is_dir():
            yield from _hosts(path, here, depth + 1)
            continue
        mode = path.stat().st_mode
        if path.suffix not in _YAML or mode & 0o111:
            raise InventoryError(
                "This file of the inventory is not a plain YAML file.",
                where=here,
                remedy="Write hosts as YAML (hosts.yml, not executable), or move the file away: "
                "kitsurvie runs no inventory script and reads no INI file.",
            )
        yield Source(here, contents(path, here, MAX_HOSTS_BYTES))


def _variables(folder: Path, shown: str, kind: str) -> Iterator[Source]:
    for path in _entries(folder, 0):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue
        name, here = _printable(path.name), f"{shown}/{_printable(path.name)}"
        if path.is_dir():
            yield from _nested(path, here, kind, name, 1)
        elif path.suffix in _YAML:
            stem = name.removesuffix(path.suffix)
            yield Source(here, contents(path, here, MAX_VARIABLES_BYTES), kind, stem)
        elif not _ENDINGS_IGNORED.search(path.name):
            # a name with a dot and no ending, such as the host pc.example.fr
            yield Source(here, contents(path, here, MAX_VARIABLES_BYTES), kind, name)


def _nested(folder: Path, shown: str, kind: str, scope: str, depth: int) -> Iterator[Source]:
    for path in _entries(folder, depth):
        if path.name.startswith(".") or path.name.endswith("~"):
            continue
        here = f"{shown}/{_printable(path.name)}"
        if path.is_dir():
            yield from _nested(path, here, kind, scope, depth + 1)
        elif path.suffix in _YAML:
            yield Source(here, contents(path, here, MAX_VARIABLES_BYTES), kind, scope)


def _printable(name: str) -> str:
    """The name of a file as it can be shown, whatever bytes it is made of."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text if text.isprintable() else repr(text)[1:-1]


def contents(path: Path, shown: str, limit: int) -> bytes:
    """The bytes of a regular file. Raises InventoryError when it is none, or is too large."""
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise InventoryError(
            "This is not a regular file.",
            where=shown,
            remedy="Move it out of the inventory folder.",
        )
    if facts.st_size > limit:
        raise InventoryError(
            f"This file is too large: {facts.st_size} bytes, at most {limit} are read.",
            where=shown,
            remedy="Split it, or move it out of the inventory folder.",
        )
    return path.read_bytes()

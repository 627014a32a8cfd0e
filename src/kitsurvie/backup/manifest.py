"""What an archive says of itself."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

VERSION = 1
MANIFEST = "manifest.json"
LEDGER = "ledger.sqlite"
WORKSPACE = "workspace"
NAME = re.compile(r"kitsurvie-backup-[0-9]{8}T[0-9]{6}Z\.tar\.gz")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing of the archive.

    `mode` is its permission bits; `owner` and `group` are names, empty where they had none. `link`
    is where a symbolic link leads, relative to its folder; a file has `size` in bytes and `sha256`
    in hexadecimal; a folder has neither.
    """

    mode: int
    owner: str = ""
    group: str = ""
    size: int = 0
    sha256: str = ""
    link: str = ""
    folder: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything in the archive by name; times are seconds since 1970."""

    made_at: float
    made_by: str
    entries: dict[str, Entry] = field(default_factory=dict)

    def dump(self) -> bytes:
        """As it stands in the archive."""
        head = {"kind": "kitsurvie-backup", "version": VERSION}
        return json.dumps({**head, **asdict(self)}, indent=1, ensure_ascii=False).encode()


def load(data: bytes) -> Manifest:
    """Read it back. Raises ValueError with a sentence when it is none or of a newer kitsurvie."""
    try:
        told: Any = json.loads(data)
        if told["kind"] != "kitsurvie-backup":
            raise ValueError("it is no backup of kitsurvie")
        if told["version"] > VERSION:
            raise ValueError("a newer kitsurvie made it: upgrade the one on this machine")
        entries = {str(name): Entry(**entry) for name, entry in told["entries"].items()}
        return Manifest(float(told["made_at"]), str(told["made_by"]), entries)
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ValueError("its manifest makes no sense") from error

"""Keep resolved inventories on disk, by the digest of their sources.

A file is a line with the SHA-256 of the rest, then JSON. What does not match is as good as absent:
asking Ansible again is always right, only slower.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from kitsurvie.inventory.resolved import Record, Resolved, Settings
from kitsurvie.model import Scope, Setting
from kitsurvie.workspace import make_private, private_mode

FORMAT = "2"
KEPT = 4


def read(folder: Path, digest: str) -> Resolved | None:
    """The inventory kept under this digest, or None."""
    path = _path(folder, digest)
    try:
        checksum, _, body = path.read_bytes().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != checksum:
            return None
        data = json.loads(body)
        groups = [tuple(names) for names in data["groups"]]
        return Resolved(
            tuple(
                Record(name, groups[g], base, own, _settings(places))
                for name, g, base, own, places in data["hosts"]
            ),
            tuple(data["shared"]),
            {name: tuple(above) for name, above in data["parents"].items()},
            tuple(map(_settings, data["settings"])),
        )
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None


def write(folder: Path, digest: str, resolved: Resolved) -> None:
    """Keep an inventory; a folder that cannot be written costs time, not the command."""
    groups: dict[tuple[str, ...], int] = {}
    hosts = [
        (r.name, groups.setdefault(r.groups, len(groups)), r.shared, r.own, _written(r.settings))
        for r in resolved.records
    ]
    body = json.dumps(
        {
            "groups": list(groups),
            "hosts": hosts,
            "parents": resolved.parents,
            "settings": [_written(settings) for settings in resolved.settings],
            "shared": resolved.shared,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    with contextlib.suppress(OSError):
        make_private(folder)
        handle, name = tempfile.mkstemp(dir=folder, prefix="inventory-", suffix=".new")
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(handle, private_mode(folder))
                file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            Path(name).replace(_path(folder, digest))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _prune(folder)


def _written(settings: Settings) -> dict[str, list[tuple[str, str, str, Any]]]:
    return {
        name: [(one.scope.value, one.name, one.where, one.value) for one in chain]
        for name, chain in settings.items()
    }


def _settings(written: dict[str, list[list[Any]]]) -> Settings:
    return {
        name: tuple(Setting(Scope(scope), who, where, value) for scope, who, where, value in chain)
        for name, chain in written.items()
    }


def _path(folder: Path, digest: str) -> Path:
    return folder / f"inventory-{digest[:40]}.json"


def _prune(folder: Path) -> None:
    kept = sorted(
        folder.glob("inventory-*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True
    )
    for old in kept[KEPT:]:
        old.unlink(missing_ok=True)

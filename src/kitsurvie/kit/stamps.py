"""The digest of a measure as it would be applied to one host."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kitsurvie.kit import plain
from kitsurvie.model import Measure

# What takes a measure away again decides nothing of what applying it does.
_UNDOING = re.compile(r"(?:tasks|shared)/absent\w*\.yml")

# Not checks, scenarios or measure.yml: mending a text must not redeploy the fleet.
APPLIED = ("defaults", "files", "handlers", "library", "meta", "tasks", "templates", "vars")


def stamp_base(measure: Measure, playbooks_dir: Path) -> str:
    """SHA-256, in hexadecimal, of every file that decides what applying the measure does.

    These are the role's own and the tasks that plays share, by name and bytes.
    """
    state = hashlib.sha256()
    roots = [(name, measure.path / name) for name in APPLIED]
    for label, root in (*roots, ("shared", playbooks_dir / "tasks")):
        for name, path in _files(root):
            if _UNDOING.fullmatch(f"{label}/{name}"):
                continue
            content = path.read_bytes()
            head = f"{label}/{name}".encode("utf-8", "surrogateescape")
            state.update(b"%d:%b%d:" % (len(head), head, len(content)))
            state.update(content)
    return state.hexdigest()


def stamp(base: str, params: Mapping[str, Any]) -> str:
    """The stamp of a measure with these variables: 32 hexadecimal characters."""
    return hashlib.sha256(plain.canonical([base, dict(params)])).hexdigest()[:32]


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """Files below a folder by their relative name, but what editors and Python leave behind."""
    if not root.is_dir():
        return
    found = [path for path in root.rglob("*") if path.is_file()]
    named = sorted((path.relative_to(root).as_posix(), path) for path in found)
    for name, path in named:
        hidden = any(part.startswith(".") or part == "__pycache__" for part in name.split("/"))
        if not hidden and path.suffix not in (".pyc", ".pyo") and not name.endswith("~"):
            yield name, path

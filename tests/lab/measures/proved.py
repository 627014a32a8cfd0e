"""Which measures were broken and mended in every way as they stand, on both releases.

`make test` plays the scenarios of those that changed since; `make test-all` plays all of them and
writes down what it has proved.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
FILE = Path(__file__).with_name("proved.json")
# a text that is mended, or a footprint that is measured, changes nothing that is played
NOT_PLAYED = ("measure.yml",)


def digest(measure: str) -> str:
    """Everything that is played of a measure: its role, and the shared tasks that it names."""
    role = ROOT / "roles" / measure
    files = [f for f in sorted(role.rglob("*")) if f.is_file() and "__pycache__" not in f.parts]
    played = [f for f in files if f.name not in NOT_PLAYED]
    text = "".join(f.read_text(encoding="utf-8") for f in played if f.parent.name == "tasks")
    shared = sorted(set(re.findall(r"kit_tasks \}\}/(\w+\.yml)", text)))
    state = hashlib.sha256()
    for file in [*played, *(ROOT / "playbooks" / "tasks" / name for name in shared)]:
        state.update(f"{file.relative_to(ROOT)}\0".encode())
        state.update(hashlib.sha256(file.read_bytes()).digest())
    return state.hexdigest()[:16]


def holds(measure: str) -> bool:
    """Whether a measure was proved as it stands."""
    return _read().get(measure) == digest(measure)


def remember(measure: str) -> None:
    """Write down that a measure was proved, where `make test-all` asks for it."""
    if os.environ.get("KITSURVIE_REMEMBER") == "1":
        known = {**_read(), measure: digest(measure)}
        there = {m: d for m, d in sorted(known.items()) if (ROOT / "roles" / m).is_dir()}
        FILE.write_text(json.dumps(there, indent=1) + "\n", encoding="utf-8")


def _read() -> dict[str, str]:
    return dict(json.loads(FILE.read_text(encoding="utf-8"))) if FILE.exists() else {}

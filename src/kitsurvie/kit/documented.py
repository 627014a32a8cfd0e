"""The variables of a measure with the words that stand above each in `defaults/main.yml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from kitsurvie.errors import KitError
from kitsurvie.model import Measure

_KEY = re.compile(r"([a-z][a-z0-9_]*)\s*:")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: its default, and its comment as lines without their `# `."""

    name: str
    default: Any
    comment: tuple[str, ...]


def variables(measure: Measure) -> tuple[Variable, ...]:
    """The variables of a measure in the order of its defaults file. Raises KitError."""
    file = measure.path / "defaults" / "main.yml"
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KitError(
            f"The variables of the measure {measure.id} cannot be read: {error}.",
            where=str(file),
            remedy="Put the file back.",
        ) from error
    comments: dict[str, tuple[str, ...]] = {}
    above: list[str] = []
    for line in lines:
        key = _KEY.match(line)
        if line.startswith("#"):
            above.append(line.removeprefix("#").removeprefix(" ").rstrip())
            continue
        if key:
            comments[key[1]] = tuple(above)
        above = []
    return tuple(
        Variable(name, default, comments.get(name, ()))
        for name, default in measure.defaults.items()
    )

"""In which language people are spoken to: the one asked for, else that of the environment."""

from __future__ import annotations

import os
from typing import Literal

Language = Literal["fr", "en"]


def language(asked: str | None, *, otherwise: Language = "en") -> Language:
    """The language asked for, else the one LANG names, else (a third one, or none) `otherwise`."""
    said = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG", "")
    for known in ("fr", "en"):
        if (asked or said).startswith(known):
            return "fr" if known == "fr" else "en"
    return otherwise

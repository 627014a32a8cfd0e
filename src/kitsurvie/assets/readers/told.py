"""What one inventory says, in one shape: GLPI's own, whichever agent wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Told:
    """An inventory before it is looked at: `content` has GLPI's names, and any values.

    `user` and `seen` are what only XML says beside the content: who, and when the server had it.
    """

    deviceid: Any
    content: Mapping[str, Any]
    itemtype: Any = None
    tag: Any = None
    partial: Any = None
    user: str = ""
    seen: str = ""

"""Words as they compare: accents, case, hyphens and ligatures make no difference."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LETTERS = re.compile(r"[^0-9a-z]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l"})


def plain(text: str) -> str:
    """The text without case and accents; punctuation stays."""
    spread = unicodedata.normalize("NFKD", text.casefold().translate(_LIGATURES))
    return "".join(c for c in spread if not unicodedata.combining(c))


@lru_cache(maxsize=1 << 14)
def fold(text: str) -> str:
    """`Saint-Lô ` and `SAINT LO` are `saint lo`; what is neither letter nor digit is a space."""
    return _LETTERS.sub(" ", plain(text)).strip()

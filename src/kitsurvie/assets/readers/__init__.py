"""Exports, as records: files from outside in, dataclasses out, one at a time."""

from kitsurvie.assets.readers.reading import read
from kitsurvie.assets.readers.settings import Item, Limits, Progress, Settings, Tally

__all__ = ["Item", "Limits", "Progress", "Settings", "Tally", "read"]

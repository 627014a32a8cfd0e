"""A workspace in one file, and back: whole or not at all.

The archive holds `workspace/...`, `ledger.sqlite` (a copy made by the ledger's own means), and last
of all `manifest.json` with the size and SHA-256 of each: one that was cut short has none.
"""

from kitsurvie.backup.pack import Packed, pack, rotate
from kitsurvie.backup.unpack import Unpacked, newest, unpack

__all__ = ["Packed", "Unpacked", "newest", "pack", "rotate", "unpack"]

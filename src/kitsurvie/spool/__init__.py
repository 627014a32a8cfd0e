"""What machines that observe themselves have handed in here, and the keys they do it with."""

from kitsurvie.spool.keys import Published, add, publish, remove, stored
from kitsurvie.spool.refused import Refused
from kitsurvie.spool.slots import Spooled, Unreadable, take_away, waiting

__all__ = [
    "Published",
    "Refused",
    "Spooled",
    "Unreadable",
    "add",
    "publish",
    "remove",
    "stored",
    "take_away",
    "waiting",
]

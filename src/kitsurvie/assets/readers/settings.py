"""What every reader of one import is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta, tzinfo

from kitsurvie.assets.places import Places
from kitsurvie.assets.pseudonym import Pseudonyms
from kitsurvie.assets.record import Discard, Exemption, Person, Record, Refusal, SessionDay

Item = Record | SessionDay | Exemption | Person | Discard | Refusal


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest files that are read, in bytes."""

    inventory_bytes: int = 64 << 20
    table_bytes: int = 1 << 30


@dataclass(slots=True)
class Tally:
    """How far a reading is. `records` came in; each of them is in `kept` or in `refused`.

    A file that is refused whole is one record. `bytes` are those of the files that are done, and of
    the one that is being read.
    """

    file: str = ""
    files: int = 0
    bytes: int = 0
    records: int = 0
    kept: int = 0
    refused: int = 0


Progress = Callable[[Tally], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """Whose the records are, what day it is, and what the headings of another table mean.

    `entity` is where a record is that says no place of its own; `register` tells two tools of one
    kind apart. `headings` gives the field of a heading, before those that are known. `zone` is the
    time of dates that say none.
    """

    places: Places
    pseudonyms: Pseudonyms
    today: date
    zone: tzinfo
    register: str = ""
    entity: str = ""
    headings: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def is_future(self, day: date) -> bool:
        """Whether a day is to come; a day of grace is for clocks and zones."""
        return day > self.today + timedelta(days=1)

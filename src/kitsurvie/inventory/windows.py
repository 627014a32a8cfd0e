"""When a host may be changed: weekly windows, and freezes with a reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"([a-z,-]+) +([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Window:
    """Days a window begins on (0 is Monday) and its bounds in minutes after midnight.

    `end` is not inside; when it is not after `start` the window ends on the next day.
    """

    days: frozenset[int]
    start: int
    end: int

    def holds(self, moment: datetime) -> bool:
        """Whether this local moment is inside."""
        minute = moment.hour * 60 + moment.minute
        today = moment.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        begun = today in self.days and minute >= self.start
        return begun or ((today - 1) % 7 in self.days and minute < self.end)

    def opens_after(self, moment: datetime) -> datetime:
        """The first moment after this one at which the window begins."""
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        for ahead in range(8):
            day = midnight + timedelta(days=ahead)
            start = day + timedelta(minutes=self.start)
            if day.weekday() in self.days and start > moment:
                return start
        raise AssertionError("a window begins at least once a week")


@dataclass(frozen=True, slots=True)
class Freeze:
    """Days, both included, on which nothing is changed, and why."""

    first: date
    last: date
    reason: str


def shut(variables: Mapping[str, Any], now: datetime, measure: str = "kit") -> str:
    """Why a measure may not be applied now to a host with these variables; empty when it may.

    Reads `<measure>__freezes` and `<measure>__change_windows`, each in the place of the kit's when
    it is set, even empty; `now` is the syndicate's local time. Raises ValueError for one that
    cannot be read.
    """
    for entry in variables.get(f"{measure}__freezes", variables.get("kit__freezes")) or ():
        told = freeze(entry)
        if told.first <= now.date() <= told.last:
            return f"frozen until {told.last.isoformat()} ({told.reason})"
    own = f"{measure}__change_windows"
    texts = variables.get(own, variables.get("kit__change_windows")) or ()
    if texts and not any(window(text).holds(now) for text in texts):
        opens = min(window(text).opens_after(now) for text in texts)
        return f"outside its change windows; the next one opens {opens:%a %d %B at %H:%M}"
    return ""


def window(text: object) -> Window:
    """Read `mon-fri 18:00-23:00` or `sat,sun 22:00-04:00`. Raises ValueError with the reason."""
    found = _WINDOW.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"{text!r} is not days and hours such as 'mon-fri 18:00-23:00'")
    start = int(found[2]) * 60 + int(found[3])
    end = int(found[4]) * 60 + int(found[5])
    if start >= 1440 or end > 1440:
        raise ValueError(f"{text!r} has an hour after 24:00")
    if start == end:
        raise ValueError(f"{text!r} begins and ends at the same hour")
    return Window(_days(found[1]), start, end)


def freeze(entry: object) -> Freeze:
    """Read `{from: "2027-03-14", until: "2027-03-21", reason: elections}`. Raises ValueError."""
    if not isinstance(entry, dict) or set(entry) != {"from", "until", "reason"}:
        raise ValueError(f"{entry!r} does not hold from, until and reason, and nothing else")
    try:
        first, last = (date.fromisoformat(str(entry[key])) for key in ("from", "until"))
    except ValueError as error:
        raise ValueError(f"a date of {entry!r} is not such as 2027-03-14") from error
    if last < first:
        raise ValueError(f"{entry!r} ends before it begins")
    if not isinstance(entry["reason"], str) or not entry["reason"].strip():
        raise ValueError(f"{entry!r} gives no reason")
    return Freeze(first, last, entry["reason"])


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise ValueError(f"{part!r} is not a day or days among {', '.join(DAYS)}")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        count = (end - begin) % 7 + 1
        found.update((begin + n) % 7 for n in range(count))
    return frozenset(found)

"""The dates of exports. A date without a year has none, unless the same file gives it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kitsurvie.errors import UsageError

_CLOCK = r"(?:[ T,]+(?:à )?([0-9]{1,2})[:h]([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,9})?)?"
_ISO = re.compile(
    r"([0-9]{4})[-/]([0-9]{2})[-/]([0-9]{2})" + _CLOCK + r" ?(Z|[+-][0-9]{2}:?[0-9]{2}(?::00)?)?)?"
)
_FRENCH = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})" + _CLOCK + r")?")
_LDAP = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})[0-9]{6}(?:[.,][0-9]+)?Z")
_FILETIME = re.compile(r"[0-9]{17,19}")
_YEARLESS = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) +(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +"
    r"([0-9]{1,2}) +([0-9]{2}):([0-9]{2})(?::[0-9]{2})?(?: +([0-9]{4}))?"
)
_DEVICEID = re.compile(r"-([0-9]{4})-([0-9]{2})-([0-9]{2})-[0-9]{2}-[0-9]{2}-[0-9]{2}(?:$|[^0-9])")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NEVER = {"", "0", "never", "jamais", "none", "null", "n/a", "9223372036854775807"}
_OLDEST, _NEWEST = 1980, 2199
# a value is quoted in a reason only when it cannot be a person's name
_QUOTABLE = re.compile(r"[0-9TZh:/. +-]{1,32}")


class NoDate(ValueError):
    """It is no date that can be read; the words say why."""


def paris() -> tzinfo:
    """The time of exports that say none. Raises UsageError where the system knows no zones."""
    try:
        return ZoneInfo("Europe/Paris")
    except ZoneInfoNotFoundError as error:
        raise UsageError(
            "This system does not know the time of Europe/Paris.",
            remedy="Install the package tzdata.",
        ) from error


def moment(text: str, zone: tzinfo) -> datetime | None:
    """A moment in UTC; a day alone is its noon. None where the export says never or nothing.

    Raises NoDate for anything that is no date, or none since 1980.
    """
    text = text.strip()
    if text.casefold() in _NEVER or text.startswith("0000-00-00"):
        return None
    found = _ISO.fullmatch(text)
    if found is not None:
        year, month, day, hour, minute, second, offset = found.groups()
    else:
        found = _FRENCH.fullmatch(text)
        if found is None:
            raise _no_date(text)
        day, month, year, hour, minute, second = found.groups()
        offset = None
    try:
        if offset:
            zone = _zone(offset)
        if hour is None:
            hour, minute = "12", "00"
        local = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=zone
        )
    except ValueError as error:
        raise _no_date(text) from error
    if not _OLDEST <= local.year <= _NEWEST:
        raise _no_date(text)
    return local.astimezone(UTC)


@lru_cache(maxsize=1 << 12)
def day(text: str) -> date | None:
    """A day, whatever the hour beside it; also as a directory writes it. Raises NoDate."""
    text = text.strip()
    found = _LDAP.fullmatch(text)
    if found is not None:
        text = "-".join(found.groups())
    elif _FILETIME.fullmatch(text) and text not in _NEVER:
        # tenths of microseconds since 1601
        try:
            since = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(text) // 10)
        except OverflowError as error:
            raise _no_date(text) from error
        text = since.date().isoformat()
    # the day as it is written, in no zone: an hour must not move it
    at = moment(text.split("T")[0].split(" ")[0], UTC)
    return None if at is None else at.date()


def _zone(offset: str) -> tzinfo:
    if offset == "Z":
        return UTC
    sign = -1 if offset[0] == "-" else 1
    digits = offset[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:4])))


def _no_date(text: str) -> NoDate:
    told = f" ({text})" if _QUOTABLE.fullmatch(text) else ""
    return NoDate(f"is no date that can be read{told}; write it as 2026-10-29")


def install_day(deviceid: str) -> date | None:
    """The day in an agent's identifier (`PC-1-2026-10-29-09-00-00`), None where there is none."""
    found = _DEVICEID.search(deviceid)
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def logon(text: str, zone: tzinfo, installed: date | None) -> datetime | None:
    """The moment of `Thu Oct 29 08:15`, in UTC, or of a date with its year.

    The year is that of `installed`, the day in the agent's identifier, if the weekday agrees; None
    where it does not, or there is none.
    """
    found = _YEARLESS.fullmatch(text.strip())
    if found is None:
        try:
            return moment(text, zone)
        except NoDate:
            return None
    year = int(found[6]) if found[6] else installed.year if installed else 0
    month = _MONTHS.index(found[2]) + 1
    try:
        local = datetime(year, month, int(found[3]), int(found[4]), int(found[5]), tzinfo=zone)
    except ValueError:
        return None
    if _DAYS[local.weekday()] != found[1] or not _OLDEST <= year <= _NEWEST:
        return None
    return local.astimezone(UTC)

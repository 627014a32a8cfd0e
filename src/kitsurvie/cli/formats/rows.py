"""CSV for spreadsheets: a row per host and check, as RFC 4180 has it, safe from formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kitsurvie.cli.formats import reading
from kitsurvie.cli.formats.reading import Document

COLUMNS = (
    "run", "started", "epci", "siren", "member", "host", "profile", "standing", "seen", "measure",
    "mode", "check", "status", "since", "found", "expected", "message", "command", "waived_until",
    "rejudged",
)  # fmt: skip
# what a spreadsheet takes for the beginning of a formula, and what some fold into it
STARTS = "=+-@⁺⁻⁼₊₋₌−⩵⩶﬩﹢﹣﹦﹫＋－＝＠"
# also after a line's end or a semicolon: opened with ; as its separator, as French Excel does, a
# file with commas has cells that begin there, whatever is quoted
_FORMULA = re.compile(rf"(^|[;\n])(?=\s*[{re.escape(STARTS)}])")


def render(document: Document) -> bytes:
    """The run as CSV. Times are in UTC.

    It begins with a byte order mark: without it Excel reads Saint-Lô as Saint-LÃ´ when the file is
    opened by a double click, and LibreOffice and the libraries that read CSV know what it is.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    run = {
        "run": document["run"],
        "started": reading.utc(document["started"]),
        "rejudged": reading.utc(reading.rejudged_at(document)),
    }
    for host in document["hosts"]:
        for row in _rows(host):
            row |= run
            writer.writerow([cell(row.get(column, "")) for column in COLUMNS])
    return stream.getvalue().encode("utf-8-sig")


def cell(value: object) -> str:
    """A value that no spreadsheet takes for a formula: an apostrophe stands before what could be.

    Tabs, carriage returns and other controls are written out by `reading.text`.
    """
    return _FORMULA.sub(r"\1'", reading.text(value))


def _rows(host: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The checks of a host, or one row that says why there is none: no host is ever missing."""
    where = {
        "epci": host.get("epci") or "",
        "siren": host["member"]["siren"],
        "member": host["member"]["name"],
        "host": host["name"],
        "profile": host["profile"],
        "standing": reading.standing(host),
        "seen": reading.utc(host.get("seen")),
    }
    empty = True
    for row in reading.rows(host):
        empty, check = False, row.check
        yield {
            **where,
            "measure": row.measure,
            "mode": row.mode,
            "check": check["name"],
            "status": row.status,
            "since": reading.utc(check.get("since")),
            "found": check.get("found", ""),
            "expected": check.get("expected", ""),
            "message": check.get("message", ""),
            "command": (list(check.get("commands", ())) or [""])[-1],
            "waived_until": (check.get("waiver") or {}).get("until", ""),
        }
    if empty:
        last = host.get("last_seen") or {}
        seen = where["seen"] or reading.utc(last.get("at"))
        detail = host.get("detail") or ""
        yield {**where, "seen": seen, "status": where["standing"], "message": detail}

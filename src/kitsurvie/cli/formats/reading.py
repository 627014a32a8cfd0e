"""What every format reads in a run's document, whichever fields that document has."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kitsurvie.cli import output

Document = Mapping[str, Any]

# from the one that must be read first to the one that needs no reading
STANDINGS = (
    "failed", "error", "unknown", "unreachable", "drift", "held", "pending", "unseen", "absent",
    "waived", "not_applicable", "compliant",
)  # fmt: skip
WELL = frozenset({"waived", "not_applicable", "compliant"})
AWAY = frozenset({"unseen", "absent"})
WRONG = frozenset({"drift", "error", "unknown", "unreachable"})

# the longest value of a host that a format shows; the document has all of it
LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Row:
    """One check of one host; `measure` is `kit` for what is asked of the machine itself."""

    host: Mapping[str, Any]
    measure: str
    mode: str
    check: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The check as `compliance evidence` takes it."""
        return f"{self.measure}/{self.check['name']}"

    @property
    def status(self) -> str:
        """What the check said."""
        return str(self.check["status"])


def proof(row: Row, run: int | None = None) -> str:
    """The command that shows what the host answered, in that run or when it was last judged."""
    host, check = shlex.quote(str(row.host["name"])), shlex.quote(row.name)
    # what a machine handed in is of a run of its own, the newest with that check
    of = f" --run {run}" if run is not None and not row.host.get("own_look") else ""
    return line(f"kitsurvie compliance evidence {host} {check}{of}")


def rejudged_at(document: Document) -> str | None:
    """When the run was judged again, as the document has it; None when it was not."""
    at = (document.get("rejudged") or {}).get("at")
    return None if at is None else str(at)


def rows(host: Mapping[str, Any]) -> Iterator[Row]:
    """Every check that was judged on a host, those of the machine itself first."""
    for check in host.get("checks", ()):
        yield Row(host, "kit", "", check)
    for measure in host.get("measures", ()):
        for check in measure.get("checks", ()):
            yield Row(host, str(measure["id"]), str(measure.get("mode", "")), check)


def standing(host: Mapping[str, Any]) -> str:
    """Where a host stands, each state apart, also in a document that only has `state`."""
    said = host.get("standing")
    if said:
        return str(said)
    state = str(host["state"])
    if state == "unreachable" and host.get("profile") == "laptop":
        return "absent"
    if state != "done":
        return state
    statuses = {row.status for row in rows(host)}
    if "waived" in statuses:
        return "waived"
    return "not_applicable" if statuses == {"not_applicable"} else "compliant"


def rank(state: str) -> int:
    """The place of a standing in the order of reading; one that is new here comes first."""
    return STANDINGS.index(state) if state in STANDINGS else -1


def text(value: object, most: int = LONGEST) -> str:
    """What a host answered, without anything that drives a screen or is no text; cut, and says so.

    Ends of line are kept; every other control, direction mark and half character is written out.
    """
    whole = str(value)
    if len(whole) <= most and whole.isprintable():
        return whole
    shown = output.printable(whole[:most], lines=True)
    cut = len(whole) > most or len(shown) > most
    return f"{shown[:most]} [... cut]" if cut else shown


def line(value: object, most: int = 300) -> str:
    """The same on one line."""
    return text(" ⏎ ".join(str(value)[: most + 1].split("\n")), most)


def moment(value: object) -> datetime | None:
    """A moment of the document, None when there is none or it cannot be read."""
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def seconds(document: Document) -> float:
    """How long the run took; never below zero, whatever clocks did."""
    began, ended = moment(document.get("started")), moment(document.get("ended"))
    return max((ended - began).total_seconds(), 0.0) if began and ended else 0.0


def utc(value: object) -> str:
    """A moment to the second, in UTC; empty when there is none."""
    read = moment(value)
    return read.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if read else ""


def why_away(host: Mapping[str, Any]) -> str:
    """What is known of a host that did not answer: the trouble, and when it last did."""
    last = host.get("last_seen") or {}
    seen = f"last seen {utc(last['at'])}Z" if last.get("at") else ""
    return "; ".join(part for part in (str(host.get("detail") or ""), seen) if part)

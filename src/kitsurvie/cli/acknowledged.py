"""Drifts that somebody answers for, as people and programs read them beside the drift."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from kitsurvie.cli import output, told
from kitsurvie.ledger import Acknowledgement, Ledger
from kitsurvie.model import Status, Verdict


def today(ledger: Ledger) -> Mapping[str, tuple[Acknowledgement, ...]]:
    """By host, those that hold today."""
    found: dict[str, tuple[Acknowledgement, ...]] = {}
    for said in ledger.acknowledgements():
        if holds(said, date.today()):
            found[said.host] = (*found.get(said.host, ()), said)
    return found


def holds(said: Acknowledgement, day: date) -> bool:
    """Whether its last day is not past; that its drift still stands is the ledger's to know."""
    return said.until >= day.isoformat()


def of(listed: Iterable[Acknowledgement], verdict: Verdict) -> list[Acknowledgement]:
    """Who answers for a verdict: for a drift, nobody or one."""
    if verdict.status is not Status.DRIFT:
        return []
    return [a for a in listed if (a.measure, a.check) == (verdict.measure, verdict.check)]


def words(said: Acknowledgement) -> str:
    """By whom and until when, and why."""
    who, why = output.printable(said.by_whom), output.printable(said.reason)
    return f"acknowledged by {who} until {date.fromisoformat(said.until):%a %d %B %Y}: {why}"


def document(said: Acknowledgement | None) -> dict[str, Any] | None:
    """The same as the documents have it."""
    if said is None:
        return None
    on = told.iso(said.made_at)
    return {"by": said.by_whom, "reason": said.reason, "until": said.until, "on": on}


def documents(listed: Iterable[Acknowledgement]) -> list[dict[str, Any]]:
    """Those of one host, each with its check."""
    return [{"measure": a.measure, "check": a.check, **(document(a) or {})} for a in listed]

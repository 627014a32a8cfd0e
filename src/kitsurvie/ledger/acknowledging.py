"""Drifts that somebody answers for until a day: said, and over as soon as the drift is mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select

from kitsurvie.ledger import schema
from kitsurvie.ledger.words import Acknowledgement
from kitsurvie.model import Status

# a verdict that could not be given between two drifts mends nothing
UNMENDED = frozenset({Status.DRIFT.value, Status.ERROR.value, Status.UNKNOWN.value})

_said = schema.acknowledgements.c
_held = schema.intervals.c


def acknowledge(connection: Connection, host: int, check: int, said: Acknowledgement) -> None:
    """Write it; it takes the place of an earlier one of the same drift."""
    look = connection.execute(select(schema.version.c.looks)).scalar_one()
    connection.execute(
        insert(schema.acknowledgements).values(
            host_id=host, check_id=check, look=look, made_at=said.made_at,
            by_whom=said.by_whom, reason=said.reason, until=said.until,
        )
    )  # fmt: skip


def unmended(connection: Connection) -> tuple[Acknowledgement, ...]:
    """The last word on each drift that has not been mended since; its day may be past."""
    newest = select(func.max(_said.id)).group_by(_said.host_id, _said.check_id).scalar_subquery()
    query = (
        select(
            schema.acknowledgements, schema.hosts.c.name, schema.checks.c.measure,
            schema.checks.c.name.label("check"),
        )
        .join(schema.hosts, schema.hosts.c.id == _said.host_id)
        .join(schema.checks, schema.checks.c.id == _said.check_id)
        .where(_said.id.in_(newest))
        .order_by(_said.until, schema.hosts.c.name)
    )  # fmt: skip
    said = connection.execute(query).all()
    since: dict[int, list[Row[Any]]] = {}
    lasted = (
        select(_said.id, _held.from_look, _held.to_look, schema.verdicts.c.status)
        .join(
            schema.intervals,
            (_held.host_id == _said.host_id) & (_held.check_id == _said.check_id),
        )
        .join(schema.verdicts, schema.verdicts.c.id == _held.verdict_id)
        .where(_said.id.in_(newest), or_(_held.to_look.is_(None), _held.to_look > _said.look))
        .order_by(_said.id, _held.from_look)
    )
    for row in list[Row[Any]](connection.execute(lasted)):
        since.setdefault(row.id, []).append(row)
    return tuple(
        Acknowledgement(
            row.name, row.measure, row.check, row.by_whom, row.reason, row.until, row.made_at
        )
        for row in said
        if _lasts(row.look, since.get(row.id, []))
    )


def _lasts(look: int, intervals: Sequence[Row[Any]]) -> bool:
    """Whether one trouble has followed on another without a gap, from that look until now."""
    reached: int | None = look
    for row in intervals:
        if row.status not in UNMENDED or reached is None or row.from_look > reached:
            return False
        reached = row.to_look
    return bool(intervals) and reached is None

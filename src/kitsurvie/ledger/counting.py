"""Numbers out of the ledger: counted where they are, and no verdict read for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, func, select

from kitsurvie.ledger import register_tables as register_of
from kitsurvie.ledger import schema
from kitsurvie.ledger.words import Ended, LastLook, Marks, Outcome, RunState, Tally
from kitsurvie.model import Status

REGISTER = register_of.imports.name

_looks = schema.observations.c
_held = schema.intervals.c
_runs = schema.runs.c


def marks(connection: Connection, *, register: bool) -> Marks:
    """What tells whether anything changed; `register`: whether there is one.

    A host that is given its place in a run without a look at it is told by the end of that run.
    """
    looks = connection.execute(
        select(schema.version.c.looks, schema.version.c.prunings)
    ).one()  # fmt: skip
    ended = connection.execute(
        select(func.max(_runs.id), func.count(_runs.ended_at), func.max(_runs.ended_at))
    ).one()
    stands: list[object] = []
    if register:
        for table in (register_of.imports, register_of.acts):
            stands += connection.execute(
                select(func.max(table.c.id), func.count(), func.max(table.c.undone_at))
            ).one()
        # a purge, and somebody who is forgotten, leave no other trace
        for table in (register_of.entries, register_of.days):
            # asked for in one breath, SQLite reads a million rows for what two indexes know
            stands.append(connection.execute(select(func.max(table.c.id))).scalar())
            stands.append(connection.execute(select(func.count()).select_from(table)).scalar())
    return Marks(_said([*looks, *ended]), _said(stands))


def _said(values: list[object]) -> str:
    return " ".join(map(str, values))


def last_looks(connection: Connection) -> Mapping[str, LastLook]:
    """The newest look at each host, by name."""
    newest = select(func.max(_looks.id)).group_by(_looks.host_id).scalar_subquery()
    answered = (
        select(func.max(_looks.id).label("look"))
        .where(_looks.coverage_id.is_not(None))
        .group_by(_looks.host_id)
        .subquery()
    )
    last = select(_looks.host_id, _looks.at).join(answered, answered.c.look == _looks.id)
    seen = {row.host_id: row.at for row in connection.execute(last)}
    stand = schema.run_hosts
    query = (
        select(
            schema.hosts.c.id, schema.hosts.c.name, _looks.run_id, _looks.at, stand.c.state,
            _looks.coverage_id,
        )
        .join(schema.hosts, schema.hosts.c.id == _looks.host_id)
        .outerjoin(
            stand, (stand.c.run_id == _looks.run_id) & (stand.c.host_id == _looks.host_id)
        )
        .where(_looks.id.in_(newest))
    )  # fmt: skip
    return {
        row.name: LastLook(
            row.run_id, row.at, Outcome(row.state or Outcome.PENDING),
            row.coverage_id is not None, seen.get(row.id),
        )
        for row in connection.execute(query)
    }  # fmt: skip


def tally(connection: Connection) -> Iterator[Tally]:
    """How many checks of each measure have which status now, host by host."""
    what = (schema.hosts.c.name, schema.checks.c.measure, schema.verdicts.c.status)
    query = (
        select(*what, func.count())
        .select_from(schema.intervals)
        .join(schema.hosts, schema.hosts.c.id == _held.host_id)
        .join(schema.checks, schema.checks.c.id == _held.check_id)
        .join(schema.verdicts, schema.verdicts.c.id == _held.verdict_id)
        .where(_held.to_look.is_(None))
        .group_by(*what)
    )
    for host, measure, status, checks in connection.execute(query):
        yield Tally(host, measure, Status(status), checks)


def last_ended(connection: Connection) -> tuple[Ended, ...]:
    """The newest run of each kind that is over."""
    newest = select(func.max(_runs.id)).where(_runs.ended_at.is_not(None)).group_by(_runs.kind)
    query = select(schema.runs).where(_runs.id.in_(newest.scalar_subquery())).order_by(_runs.kind)
    stands = schema.run_hosts.c
    found = []
    for run in connection.execute(query).all():
        counted = (
            select(stands.state, func.count())
            .where(stands.run_id == run.id)
            .group_by(stands.state)
        )  # fmt: skip
        hosts = {Outcome(state): count for state, count in connection.execute(counted)}
        found.append(Ended(run.kind, run.started_at, run.ended_at, hosts))
    return tuple(found)


def last_success(connection: Connection, kind: str) -> float | None:
    """When a run of that kind last came to its end with an answer of at least one host."""
    answered = (
        select(_looks.id)
        .where(_looks.run_id == _runs.id, _looks.coverage_id.is_not(None))
        .correlate(schema.runs)
        .exists()
    )
    query = (
        select(_runs.ended_at)
        .where(_runs.kind == kind, _runs.state == RunState.ENDED.value, answered)
        .order_by(_runs.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()

"""What probes counted, one row for each machine and day: of a day only for as long as it serves.

How long a machine was on says something of who uses it. So after KEPT_DAYS one row a week is left,
and of its use nothing is kept but the last day.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    RowMapping,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    select,
)

from kitsurvie.ledger import database
from kitsurvie.model import Reading

# Day by day for the thirty days that the report and the exporter look back on, and some more for a
# machine that was off on the first of them
KEPT_DAYS = 40

# Apart from the other tables, and made with the first reading: in a ledger of any age
metadata = MetaData()
_readings = Table(
    "probe_readings",
    metadata,
    Column("host", Text, primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("week", String(8), nullable=False),
    Column("since", String(10), nullable=False),
    Column("machine", String(10), nullable=False),
    Column("chassis", String(10), nullable=False),
    # joules and seconds, as JSON
    Column("counted", Text, nullable=False),
)
_uses = Table(
    "probe_uses",
    metadata,
    Column("host", Text, primary_key=True),
    Column("last_used", String(10), nullable=False),
)


def write(connection: Connection, dialect: str, taken: Sequence[Reading]) -> None:
    """Keep these, each in the place of what its machine said of the same day."""
    metadata.create_all(connection, checkfirst=True)
    rows = [_row(one) for one in taken]
    _put(connection, dialect, _readings, ("host", "day"), rows)
    used = [{"host": one.host, "last_used": one.last_used} for one in taken if one.last_used]
    if used:
        _put(connection, dialect, _uses, ("host",), used)
    gone = [one.host for one in taken if not one.last_used]
    if gone:
        connection.execute(delete(_uses).where(_uses.c.host.in_(gone)))
    newest = date.fromisoformat(max(one.day for one in taken))
    _thin(connection, newest - timedelta(days=KEPT_DAYS))


def read(connection: Connection, start: date, end: date) -> tuple[Reading, ...]:
    """Those from the last before `start` of each machine to `end`, by machine and day."""
    if not _there(connection, _readings):
        return ()
    before = (
        select(_readings.c.host, func.max(_readings.c.day).label("day"))
        .where(_readings.c.day < start.isoformat())
        .group_by(_readings.c.host)
        .subquery()
    )
    query = (
        select(_readings, _uses.c.last_used)
        .outerjoin(before, before.c.host == _readings.c.host)
        .outerjoin(_uses, _uses.c.host == _readings.c.host)
        .where(
            _readings.c.day <= end.isoformat(),
            _readings.c.day >= func.coalesce(before.c.day, start.isoformat()),
        )
        .order_by(_readings.c.host, _readings.c.day)
    )
    return tuple(_reading(row) for row in connection.execute(query).mappings())


def old(connection: Connection, before: str) -> int:
    """How many rows are older than a day (ISO)."""
    if not _there(connection, _readings):
        return 0
    query = select(func.count()).select_from(_readings).where(_readings.c.day < before)
    return int(connection.execute(query).scalar_one())


def forget(connection: Connection, before: str) -> int:
    """Take away what is older than a day (ISO); gives how many rows."""
    if not _there(connection, _readings):
        return 0
    return connection.execute(delete(_readings).where(_readings.c.day < before)).rowcount


def last_uses(connection: Connection) -> dict[str, str]:
    """The last day of use (ISO) of each machine whose use is collected."""
    if not _there(connection, _uses):
        return {}
    return {row.host: row.last_used for row in connection.execute(select(_uses))}


def _there(connection: Connection, table: Table) -> bool:
    return bool(connection.dialect.has_table(connection, table.name))


def _thin(connection: Connection, before: date) -> None:
    later = _readings.alias()
    superseded = (
        select(later.c.day)
        .where(
            and_(
                later.c.host == _readings.c.host,
                later.c.week == _readings.c.week,
                later.c.day > _readings.c.day,
            )
        )
        .exists()
    )
    connection.execute(delete(_readings).where(_readings.c.day < before.isoformat(), superseded))


def _put(
    connection: Connection,
    dialect: str,
    table: Table,
    keys: Sequence[str],
    rows: Iterable[dict[str, str]],
) -> None:
    insert = database.insert_of(dialect, table)
    values = {
        column.name: insert.excluded[column.name]
        for column in table.columns
        if not column.primary_key
    }
    statement = insert.on_conflict_do_update(index_elements=list(keys), set_=values)
    connection.execute(statement, list(rows))


def _row(one: Reading) -> dict[str, str]:
    year, week, _ = date.fromisoformat(one.day).isocalendar()
    counted = {"joules": dict(one.joules), "modelled": one.modelled, "seconds": dict(one.seconds)}
    return {
        "host": one.host, "day": one.day, "week": f"{year}-W{week:02}", "since": one.since,
        "machine": one.machine, "chassis": one.chassis, "counted": json.dumps(counted),
    }  # fmt: skip


def _reading(row: RowMapping) -> Reading:
    counted = json.loads(row["counted"])
    modelled = counted["modelled"]
    return Reading(
        row["host"], row["day"], row["since"], row["machine"], row["chassis"], counted["joules"],
        tuple(modelled) if modelled else None, counted["seconds"], row["last_used"],
    )  # fmt: skip

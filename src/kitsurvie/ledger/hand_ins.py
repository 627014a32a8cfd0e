"""The last look that each machine handed in of itself: what a replay is known by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import Column, Connection, Double, MetaData, String, Table, Text, select

from kitsurvie.ledger import database

# Apart from the other tables, and made when the first machine hands in: in a ledger of any age
metadata = MetaData()
_table = Table(
    "hand_ins",
    metadata,
    Column("host", Text, primary_key=True),
    Column("moment", Double, nullable=False),
    Column("arrived", Double, nullable=False),
    Column("at", Double, nullable=False),
    Column("digest", String(32), nullable=False),
    Column("address", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class LastHandIn:
    """What was last taken of what a machine handed in; times are seconds since the epoch.

    `moment` is the machine's word, `arrived` the control node's, `at` what is believed. `address`
    is where it came from (empty: not known), a hint and no identity.
    """

    host: str
    moment: float
    arrived: float
    at: float
    digest: str
    address: str


def write(connection: Connection, dialect: str, taken: Iterable[LastHandIn]) -> None:
    """Remember these as the last of their machines."""
    rows = [asdict(one) for one in taken]
    if not rows:
        return
    _table.create(connection, checkfirst=True)
    insert = database.insert_of(dialect, _table)
    columns = [column.name for column in _table.columns if not column.primary_key]
    values = {name: insert.excluded[name] for name in columns}
    connection.execute(insert.on_conflict_do_update(index_elements=["host"], set_=values), rows)


def read(connection: Connection, *, there: bool) -> Mapping[str, LastHandIn]:
    """The last of each machine; `there`: whether the ledger has the table yet."""
    if not there:
        return {}
    rows = connection.execute(select(_table)).mappings()
    return {row["host"]: LastHandIn(**row) for row in rows}


NAME = _table.name

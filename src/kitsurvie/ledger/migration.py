"""Bring a ledger of an older format to today's, in one transaction: cut short, it never began."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, func, select, text, update

from kitsurvie.ledger import looks, packing, schema
from kitsurvie.ledger.interning import Numbers, parts
from kitsurvie.ledger.looks import Sight
from kitsurvie.model import Status, Verdict

TOGETHER = 2000


def migrate(connection: Connection, version: int) -> None:
    """From any format before today's."""
    if version < 2:
        _to_2(connection)
    connection.execute(update(schema.version).values(version=schema.SCHEMA_VERSION))


def _to_2(connection: Connection) -> None:
    """Format 1 had a list of verdicts for each look; now a verdict lasts from one to another."""
    for name in ("observations", "run_hosts"):
        connection.execute(text(f"ALTER TABLE {name} RENAME TO {name}_1"))
    for name in ("looks", "prunings"):
        column = f"{name} INTEGER NOT NULL DEFAULT 0"
        connection.execute(text(f"ALTER TABLE ledger_version ADD COLUMN {column}"))
    schema.metadata.create_all(connection)
    numbers = Numbers()
    names = text("SELECT host FROM run_hosts_1 UNION SELECT host FROM observations_1")
    numbers.hosts(connection, connection.execute(names).scalars())
    connection.execute(
        text(
            "INSERT INTO run_hosts (run_id, host_id, state, detail) "
            "SELECT old.run_id, hosts.id, old.state, old.detail "
            "FROM run_hosts_1 AS old JOIN hosts ON hosts.name = old.host"
        )
    )
    options = select(schema.runs.c.id, schema.runs.c.options)
    whole = {
        run: not json.loads(asked).get("measures") for run, asked in connection.execute(options)
    }
    lists: dict[bytes, tuple[Verdict, ...]] = {}
    for rows in _pages(connection):
        _read(connection, lists, {row.verdicts for row in rows})
        sights = [_sight(row, lists[row.verdicts], whole[row.run_id]) for row in rows]
        looks.write(connection, numbers, sights)
    last = connection.execute(select(func.max(schema.observations.c.id))).scalar() or 0
    connection.execute(update(schema.version).values(looks=last))
    _forget_lists(connection)
    for name in ("observations", "run_hosts"):
        connection.execute(text(f"DROP TABLE {name}_1"))


def _pages(connection: Connection) -> Iterator[list[Row[Any]]]:
    query = text("SELECT * FROM observations_1 WHERE id > :last ORDER BY id LIMIT :most")
    last = 0
    while rows := list(connection.execute(query, {"last": last, "most": TOGETHER})):
        yield rows
        last = rows[-1].id


def _read(
    connection: Connection, lists: dict[bytes, tuple[Verdict, ...]], more: set[bytes]
) -> None:
    for some in parts(address for address in more if address not in lists):
        query = select(schema.blobs).where(schema.blobs.c.digest.in_(some))
        for address, data in connection.execute(query):
            lists[address] = _unpack(packing.restore(data))


def _unpack(data: bytes) -> tuple[Verdict, ...]:
    return tuple(
        Verdict(measure, check, Status(status), found, expected, tuple(commands), message)
        for measure, check, status, found, expected, commands, message in json.loads(
            data.decode("utf-8", "surrogatepass")
        )
    )


def _sight(row: Row[Any], verdicts: tuple[Verdict, ...], whole: bool) -> Sight:
    answered = row.evidence is not None or bool(verdicts)
    return Sight(
        row.id, row.run_id, row.host, row.at, verdicts, answered, whole, row.evidence
    )  # fmt: skip


def _forget_lists(connection: Connection) -> None:
    """The lists of verdicts; an empty one is also an empty list of commands, and stays."""
    empty = packing.digest(packing.pack_commands(()))
    lists = connection.execute(text("SELECT DISTINCT verdicts FROM observations_1")).scalars()
    for some in parts(address for address in lists if address != empty):
        connection.execute(schema.blobs.delete().where(schema.blobs.c.digest.in_(some)))

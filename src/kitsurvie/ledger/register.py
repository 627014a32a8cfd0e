"""The register of equipment: what exports said, import by import, and what people decided.

What an export says of one thing is an entry, kept as the bytes that it is given: the ledger does
not know what is in them. An entry that is the same again is not written again; one that is
otherwise supersedes the one before, so that an import can be undone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, inspect, select, tuple_, update

from kitsurvie.errors import LedgerError
from kitsurvie.ledger import purging
from kitsurvie.ledger.importing import (
    Day,
    Entry,
    Importing,
    Refused,
    Seen,
    unpacked,
    unseen,
)
from kitsurvie.ledger.interning import parts
from kitsurvie.ledger.purging import Over, Purged
from kitsurvie.ledger.register_tables import (
    acts,
    again,
    current,
    day_itself,
    days,
    devices,
    entries,
    imports,
    metadata,
    name,
    refusals,
)

Access = Callable[[], AbstractContextManager[Connection]]


class Import(NamedTuple):
    """An import: when, by whom, of which files, what came of it; `undone_at` None: it holds."""

    id: int
    at: float
    by_whom: str
    files: tuple[str, ...]
    counts: Mapping[str, int]
    undone_at: float | None


class Act(NamedTuple):
    """What somebody decided (a merge, an exemption, a loan); `undone_at` None: it holds."""

    id: int
    at: float
    by_whom: str
    kind: str
    data: Mapping[str, Any]
    undone_at: float | None


class Register:
    """The register in a ledger; `read` and `write` give a connection to it for one transaction."""

    def __init__(self, read: Access, write: Access) -> None:
        self._reading = read
        self._writing = write

    # -- imports ------------------------------------------------------------------------------

    def take(
        self,
        by_whom: str,
        files: Iterable[str],
        give: Callable[[Importing], None],
        seen: Seen = unseen,
    ) -> Import:
        """One import, in one transaction: `give` hands everything over, or nothing is kept.

        `seen` says which of two entries of one name in it is the later.
        """
        listed = tuple(files)
        with self._writing() as connection:
            metadata.create_all(connection)
            made = connection.execute(
                insert(imports).values(
                    at=time.time(),
                    by_whom=by_whom,
                    files=json.dumps(listed, ensure_ascii=False),
                    counts="{}",
                )
            )
            importing = Importing(connection, int((made.inserted_primary_key or (0,))[0]), seen)
            give(importing)
            importing.end()
            return self._import(connection, importing.number)

    def imports(self) -> tuple[Import, ...]:
        """Every import, the newest first."""
        with self._read() as connection:
            if connection is None:
                return ()
            rows = connection.execute(select(imports).order_by(imports.c.id.desc()))
            return tuple(map(_import, rows))

    def undo(self, number: int) -> Import:
        """Take an import back: what it superseded stands again.

        Raises LedgerError when there is none of that number, or it is undone already.
        """
        with self._writing() as connection:
            metadata.create_all(connection)
            one = self._import(connection, number)
            if one.undone_at is not None:
                raise LedgerError(
                    f"Import {number} was undone already.",
                    remedy="The imports are listed by: kitsurvie assets imports",
                )
            self._hand_over(connection, number)
            self._restore(connection, number)
            connection.execute(delete(again).where(again.c.import_id == number))
            connection.execute(delete(refusals).where(refusals.c.import_id == number))
            connection.execute(
                update(imports).where(imports.c.id == number).values(undone_at=time.time())
            )
            return self._import(connection, number)

    @staticmethod
    def _hand_over(connection: Connection, number: int) -> None:
        """What later imports gave too is theirs from now on, the earliest first."""
        for what, table in (("entries", entries), ("days", days)):
            own = set(
                connection.execute(select(table.c.id).where(table.c.import_id == number)).scalars()
            )
            query = (
                select(again.c.import_id, again.c.rows)
                .join(imports, imports.c.id == again.c.import_id)
                .where(again.c.what == what, imports.c.undone_at.is_(None), imports.c.id > number)
                .order_by(again.c.import_id)
            )
            for row in list(connection.execute(query)) if own else ():
                theirs = own.intersection(unpacked(row.rows))
                own -= theirs
                for some in parts(theirs):
                    if table is entries:
                        # what these superseded is superseded by that import now
                        own_names = select(*name).where(entries.c.id.in_(some))
                        connection.execute(
                            update(entries)
                            .where(entries.c.superseded_by == number, tuple_(*name).in_(own_names))
                            .values(superseded_by=row.import_id)
                        )
                    connection.execute(
                        update(table).where(table.c.id.in_(some)).values(import_id=row.import_id)
                    )

    @staticmethod
    def _restore(connection: Connection, number: int) -> None:
        """What it wrote goes; what it superseded is superseded by what came after, if anything."""
        own = entries.alias()
        after = (
            select(own.c.superseded_by)
            .where(
                own.c.import_id == number,
                own.c.kind == entries.c.kind,
                own.c.source == entries.c.source,
                own.c.register == entries.c.register,
                own.c.key == entries.c.key,
            )
            .scalar_subquery()
        )
        before = select(entries.c.id, after.label("after")).where(entries.c.superseded_by == number)
        rows = [{"row": row.id, "after": row.after} for row in connection.execute(before)]
        connection.execute(delete(entries).where(entries.c.import_id == number))
        if rows:
            connection.execute(
                update(entries)
                .where(entries.c.id == bindparam("row"))
                .values(superseded_by=bindparam("after")),
                rows,
            )
        connection.execute(delete(days).where(days.c.import_id == number))

    def refused(self, number: int) -> tuple[Refused, ...]:
        """What an import refused, in the order in which it was read."""
        query = select(*(refusals.c[name] for name in Refused._fields))
        query = query.where(refusals.c.import_id == number).order_by(refusals.c.id)
        return tuple(Refused(*row) for row in self._rows(query))

    # -- what is known ------------------------------------------------------------------------

    def entries(self, *kinds: str) -> Iterator[Entry]:
        """What stands, of these kinds or of all, by name; read as it is asked for."""
        query = select(*name, entries.c.data).where(current).order_by(*name)
        if kinds:
            query = query.where(entries.c.kind.in_(kinds))
        for row in self._rows(query):
            yield Entry(row[0], row[1], row[2], row[3], bytes(row[4]))

    def days(self, since: str = "", until: str = "9999") -> Iterator[Day]:
        """Days of use from one day to another (ISO, both included)."""
        query = select(*(days.c[name] for name in Day._fields)).where(
            days.c.day >= since, days.c.day <= until
        )
        query = query.order_by(*day_itself)
        for row in self._rows(query):
            yield Day(*row)

    # -- devices ------------------------------------------------------------------------------

    def devices(self) -> Mapping[tuple[str, str, str], str]:
        """The device of each record, by (source, register, key), as they were last found."""
        query = select(
            devices.c.source,
            devices.c.register,
            devices.c.key,
            devices.c.device,
        )
        return {(row[0], row[1], row[2]): row[3] for row in self._rows(query)}

    def set_devices(self, found: Mapping[tuple[str, str, str], str]) -> None:
        """Write which record is of which device; what is not named is of none any more."""
        with self._writing() as connection:
            metadata.create_all(connection)
            connection.execute(delete(devices))
            rows = [
                {"source": source, "register": register, "key": key, "device": device}
                for (source, register, key), device in found.items()
            ]
            if rows:
                connection.execute(insert(devices), rows)

    # -- decisions ----------------------------------------------------------------------------

    def decide(self, by_whom: str, kind: str, data: Mapping[str, Any]) -> int:
        """Write what somebody decided; gives its number."""
        with self._writing() as connection:
            metadata.create_all(connection)
            made = connection.execute(
                insert(acts).values(
                    at=time.time(),
                    by_whom=by_whom,
                    kind=kind,
                    data=json.dumps(data, ensure_ascii=False),
                )
            )
            return int((made.inserted_primary_key or (0,))[0])

    def revoke(self, by_whom: str, number: int) -> Act:
        """Take a decision back; it stays on record. Raises LedgerError when none stands there."""
        with self._writing() as connection:
            metadata.create_all(connection)
            changed = connection.execute(
                update(acts)
                .where(acts.c.id == number, acts.c.undone_at.is_(None))
                .values(undone_at=time.time(), undone_by=by_whom)
            )
            if not changed.rowcount:
                raise LedgerError(
                    f"There is no decision {number} to take back.",
                    remedy="They are listed by: kitsurvie assets journal",
                )
            return _act(connection.execute(select(acts).where(acts.c.id == number)).one())

    def acts(self, *kinds: str, undone: bool = False) -> tuple[Act, ...]:
        """Decisions in their order, those that hold, or with `undone` all of them."""
        query = select(acts).order_by(acts.c.id)
        if kinds:
            query = query.where(acts.c.kind.in_(kinds))
        if not undone:
            query = query.where(acts.c.undone_at.is_(None))
        return tuple(map(_act, self._rows(query)))

    # -- privacy ------------------------------------------------------------------------------

    def purge(self, over: Over, *, dry_run: bool = False) -> Purged:
        """Take away what is over; with `dry_run` only count it."""
        with self._reading() if dry_run else self._writing() as connection:
            if not inspect(connection).has_table(imports.name):
                return Purged()
            return purging.purge(connection, over, dry_run=dry_run)

    def forget(self, user: str, member: str, rewrite: purging.Rewrite) -> int:
        """Take a person (a pseudonym) of a member (SIREN) out of everything; gives how many rows.

        `rewrite` gives an entry of some kind without that person, None to drop it, or the same
        bytes; superseded entries, refused rows and decisions are gone through too.
        """
        with self._writing() as connection:
            metadata.create_all(connection)
            return purging.forget(connection, user, member, rewrite)

    # -- inside -------------------------------------------------------------------------------

    @contextmanager
    def _read(self) -> Iterator[Connection | None]:
        with self._reading() as connection:
            # None: nothing was ever imported
            yield connection if inspect(connection).has_table(imports.name) else None

    def _rows(self, query: Any) -> Iterator[Any]:
        with self._read() as connection:
            if connection is not None:
                yield from connection.execution_options(yield_per=2000).execute(query)

    @staticmethod
    def _import(connection: Connection, number: int) -> Import:
        row = connection.execute(select(imports).where(imports.c.id == number)).one_or_none()
        if row is None:
            raise LedgerError(
                f"There is no import {number}.",
                remedy="The imports are listed by: kitsurvie assets imports",
            )
        return _import(row)


def _import(row: Any) -> Import:
    files, counts = tuple(json.loads(row.files)), json.loads(row.counts)
    return Import(row.id, row.at, row.by_whom, files, counts, row.undone_at)


def _act(row: Any) -> Act:
    return Act(row.id, row.at, row.by_whom, row.kind, json.loads(row.data), row.undone_at)

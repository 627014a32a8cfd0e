"""The numbers of what is written again and again: hosts, checks, verdicts, coverages."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Table, insert, select

from kitsurvie.ledger import packing, schema
from kitsurvie.ledger.packing import Content
from kitsurvie.model import Status, Verdict

# so many values in one statement: SQLite's oldest bound is 999
TOGETHER = 500
MANY = 2000

# the enumeration itself looks a value up ten times slower
_STATUSES = {status.value: status for status in Status}

K = TypeVar("K", bound=Hashable)


def parts(values: Iterable[K], size: int = TOGETHER) -> Iterator[list[K]]:
    """The same values, so many at a time."""
    listed = list(values)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]


class Numbers:
    """What this process knows of the numbers in one ledger; forgotten when a transaction fails."""

    def __init__(self) -> None:
        self._hosts: dict[str, int] = {}
        self._checks: dict[tuple[str, str], int] = {}
        self._verdicts: dict[Content, int] = {}
        self._coverages: dict[tuple[int, ...], int] = {}

    def forget(self) -> None:
        """Know nothing any more."""
        for known in (self._hosts, self._checks, self._verdicts, self._coverages):
            known.clear()

    def hosts(self, connection: Connection, names: Iterable[str]) -> Mapping[str, int]:
        """The numbers of hosts, given now to those that have none."""
        table = schema.hosts

        def find(wanted: Sequence[str]) -> dict[str, int]:
            query = select(table.c.name, table.c.id).where(table.c.name.in_(wanted))
            return {row.name: row.id for row in connection.execute(query)}

        return _numbers(
            connection, table, self._hosts, names, find, lambda new: [{"name": n} for n in new]
        )

    def checks(
        self, connection: Connection, names: Iterable[tuple[str, str]]
    ) -> Mapping[tuple[str, str], int]:
        """The numbers of checks (measure, name)."""
        table = schema.checks

        def find(wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
            measures = {measure for measure, _ in wanted}
            query = select(table).where(table.c.measure.in_(measures))
            found = {(row.measure, row.name): row.id for row in connection.execute(query)}
            return {key: found[key] for key in wanted if key in found}

        def rows(new: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
            return [{"measure": measure, "name": name} for measure, name in new]

        return _numbers(connection, table, self._checks, names, find, rows)

    def verdicts(
        self, connection: Connection, contents: Iterable[Content]
    ) -> Mapping[Content, int]:
        """The numbers of what verdicts say."""
        packed: dict[Content, bytes] = {}

        def pack(content: Content) -> bytes:
            if content not in packed:
                packed[content] = packing.pack_content(content)
            return packed[content]

        def rows(new: Sequence[Content]) -> list[dict[str, Any]]:
            return [
                {
                    "digest": packing.digest(pack(one)),
                    "status": one[0],
                    "data": packing.squeeze(pack(one)),
                }
                for one in new
            ]

        table = schema.verdicts
        find = _by_digest(connection, table, pack)
        return _numbers(connection, table, self._verdicts, contents, find, rows)

    def coverages(
        self, connection: Connection, lists: Iterable[tuple[int, ...]]
    ) -> Mapping[tuple[int, ...], int]:
        """The numbers of lists of checks."""

        def rows(new: Sequence[tuple[int, ...]]) -> list[dict[str, Any]]:
            packed = [packing.pack_coverage(one) for one in new]
            return [{"digest": packing.digest(p), "data": packing.squeeze(p)} for p in packed]

        table = schema.coverages
        pack: Callable[[tuple[int, ...]], bytes] = packing.pack_coverage
        find = _by_digest(connection, table, pack)
        return _numbers(connection, table, self._coverages, lists, find, rows)


def _by_digest(
    connection: Connection, table: Table, pack: Callable[[K], bytes]
) -> Callable[[Sequence[K]], dict[K, int]]:
    def find(wanted: Sequence[K]) -> dict[K, int]:
        addresses = {packing.digest(pack(one)): one for one in wanted}
        query = select(table.c.digest, table.c.id).where(table.c.digest.in_(list(addresses)))
        return {addresses[digest]: number for digest, number in connection.execute(query)}

    return find


def _numbers(
    connection: Connection,
    table: Table,
    known: dict[K, int],
    wanted: Iterable[K],
    find: Callable[[Sequence[K]], dict[K, int]],
    rows: Callable[[Sequence[K]], list[dict[str, Any]]],
) -> Mapping[K, int]:
    """Look up what is not known, write what is not there; gives all that is known after it."""
    missing = dict.fromkeys(key for key in wanted if key not in known)
    for some in parts(missing):
        found = find(some)
        new = [key for key in some if key not in found]
        if new:
            connection.execute(insert(table), rows(new))
            found.update(find(new))
        known.update(found)
    return known


class Words:
    """The same backwards, for one reading: numbers to hosts and verdicts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        query = select(schema.checks.c.id, schema.checks.c.measure, schema.checks.c.name)
        self.checks: Mapping[int, tuple[str, str]] = {
            number: (measure, name) for number, measure, name in connection.execute(query)
        }
        self._contents: dict[int, Content] = {}
        self._verdicts: dict[tuple[int, int], Verdict] = {}
        self._bare: dict[tuple[int, str], Verdict] = {}
        self._coverages: dict[int, tuple[int, ...]] = {}

    def learn(self, numbers: Iterable[int]) -> None:
        """Read what these verdicts say, many at once."""
        table = schema.verdicts.c
        query = select(table.id, table.data)
        wanted = {number for number in numbers if number not in self._contents}
        # many are sooner found by reading them all than by asking for each
        queries = (
            [query.where(table.id.between(min(wanted), max(wanted)))]
            if len(wanted) > MANY
            else [query.where(table.id.in_(some)) for some in parts(wanted)]
        )
        for one in queries:
            for number, data in self._connection.execute(one):
                if number in wanted:
                    self._contents[number] = packing.unpack_content(packing.restore(data))

    def verdict(self, check: int, number: int) -> Verdict:
        """One verdict that was learnt."""
        key = (check, number)
        if key not in self._verdicts:
            status, found, expected, commands, message = self._contents[number]
            measure, name = self.checks[check]
            self._verdicts[key] = Verdict(
                measure, name, _STATUSES[status], found, expected, commands, message
            )
        return self._verdicts[key]

    def bare(self, check: int, status: str) -> Verdict:
        """A verdict of that status, without what it says: few, and there is nothing to read."""
        key = (check, status)
        if key not in self._bare:
            self._bare[key] = Verdict(*self.checks[check], _STATUSES[status])
        return self._bare[key]

    def coverage(self, number: int | None) -> tuple[int, ...]:
        """The checks that a look covered, in order."""
        if number is None:
            return ()
        if number not in self._coverages:
            table = schema.coverages
            data = self._connection.execute(
                select(table.c.data).where(table.c.id == number)
            ).scalar_one()
            self._coverages[number] = packing.unpack_coverage(packing.restore(data))
        return self._coverages[number]

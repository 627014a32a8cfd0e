"""An import of exports under way: written as it goes, in one transaction."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable
from hashlib import blake2b
from itertools import accumulate
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, delete, insert, select, tuple_, update

from kitsurvie.ledger.register_tables import (
    again,
    current,
    day_itself,
    days,
    entries,
    imports,
    name,
    refusals,
)

# what is written, or asked for, in one statement
TOGETHER = 500
# when the thing itself was seen that the bytes of an entry speak of, in seconds since the epoch;
# minus infinity where they do not say
Seen = Callable[[bytes], float]


def unseen(_: bytes) -> float:
    """For entries that say no moment."""
    return float("-inf")


class Entry(NamedTuple):
    """What an export says of one thing, which `kind`, `source`, `register` and `key` name."""

    kind: str
    source: str
    register: str
    key: str
    data: bytes


class Day(NamedTuple):
    """A day on which a pseudonym used a device; `member` and `commune` are empty if unknown."""

    day: str
    member: str
    commune: str
    device_name: str
    device_serial: str
    user: str


class Refused(NamedTuple):
    """What an import did not take, and why."""

    file: str
    line: int
    reason: str
    text: str


class Importing:
    """An import under way: what is taken is written when it ends well, or not at all.

    Each entry that is given is counted once: `new`, `changed` or `same` beside what stood before,
    or `twice` where another of its name in this import is kept instead. Of the changed, `older`
    were seen before what they supersede was.
    """

    def __init__(self, connection: Connection, number: int, seen: Seen = unseen) -> None:
        self.number = number
        self.counts = {
            "new": 0, "changed": 0, "same": 0, "twice": 0, "older": 0, "days": 0, "refused": 0,
        }  # fmt: skip
        self._connection = connection
        self._seen = seen
        self._again: dict[str, set[int]] = {"entries": set(), "days": set()}
        self._older: set[tuple[str, str, str, str]] = set()
        self._entries: dict[tuple[str, str, str, str], Entry] = {}
        self._days: list[Day] = []
        self._refused: list[Refused] = []

    def entry(self, one: Entry) -> None:
        """Take an entry; of two of one name the latest seen is kept, of equals the last given."""
        before = self._entries.get(one[:4])
        if before is not None:
            self.counts["twice"] += 1
            if self._seen(one.data) < self._seen(before.data):
                return
        self._entries[one[:4]] = one
        if len(self._entries) >= TOGETHER:
            self._write_entries()

    def day(self, one: Day) -> None:
        """Take a day of use."""
        self._days.append(one)
        if len(self._days) >= TOGETHER:
            self._write_days()

    def refuse(self, one: Refused) -> None:
        """Keep what was refused, for whoever mends it."""
        self.counts["refused"] += 1
        self._refused.append(one)
        if len(self._refused) >= TOGETHER:
            self._write_refused()

    def end(self) -> None:
        """Write what waits, and what came of it."""
        self._write_entries()
        self._write_days()
        self._write_refused()
        self._write_again()
        self.counts["older"] = len(self._older)
        self._connection.execute(
            update(imports)
            .where(imports.c.id == self.number)
            .values(counts=json.dumps(self.counts))
        )

    def _write_entries(self) -> None:
        given = list(self._entries.values())
        self._entries.clear()
        if not given:
            return
        digests = {one[:4]: blake2b(one.data, digest_size=16).digest() for one in given}
        there = self._rows(digests, current)
        own = [one for one, row in there.items() if row.import_id == self.number]
        former = self._rows(own, entries.c.superseded_by == self.number)
        # what this import gave already, in a batch before
        before = {
            row.id
            for row in there.values()
            if row.import_id == self.number or row.id in self._again["entries"]
        }
        other = (
            row.id
            for one, row in there.items()
            if row.id in before or bytes(row.digest) != digests[one]
        )
        data = self._data((*other, *(row.id for row in former.values())))
        old, rows = [], []
        for one in given:
            known = there.get(one[:4])
            if known is not None and known.id in before:
                self.counts["twice"] += 1
                if self._seen(one.data) < self._seen(data[known.id]):
                    continue
            if known is not None and known.import_id == self.number:
                superseded = former.get(one[:4])
                self._note_older(one, data.get(superseded.id) if superseded else None)
                self._say_otherwise(known.id, one, digests[one[:4]], superseded)
                continue
            if known is not None and bytes(known.digest) == digests[one[:4]]:
                self.counts["same"] += known.id not in before
                self._again["entries"].add(known.id)
                continue
            self.counts["new" if known is None else "changed"] += 1
            if known is not None:
                self._note_older(one, data[known.id])
                old.append(known.id)
                if known.id in self._again["entries"]:
                    # said again by this import, and then otherwise: the last word is what it gives
                    self._again["entries"].remove(known.id)
                    self.counts["same"] -= 1
            rows.append({**one._asdict(), "digest": digests[one[:4]], "import_id": self.number})
        if old:
            self._connection.execute(
                update(entries).where(entries.c.id.in_(old)).values(superseded_by=self.number)
            )
        if rows:
            self._connection.execute(insert(entries), rows)

    def _note_older(self, one: Entry, superseded: bytes | None) -> None:
        """Note whether it was seen before what it supersedes; what is not dated is not older."""
        than = unseen(b"") if superseded is None else self._seen(superseded)
        if unseen(b"") < self._seen(one.data) < than:
            self._older.add(one[:4])
        else:
            self._older.discard(one[:4])

    def _say_otherwise(self, row: int, one: Entry, digest: bytes, former: Any) -> None:
        """Write over what this very import said before: it supersedes others, never itself.

        What is then as it stood before the import (`former`) stands as before.
        """
        if former is None or bytes(former.digest) != digest:
            self._connection.execute(
                update(entries).where(entries.c.id == row).values(data=one.data, digest=digest)
            )
            return
        self._connection.execute(delete(entries).where(entries.c.id == row))
        self._connection.execute(
            update(entries).where(entries.c.id == former.id).values(superseded_by=None)
        )
        self._again["entries"].add(former.id)
        self.counts["changed"] -= 1
        self.counts["same"] += 1

    def _rows(
        self, names: Iterable[tuple[str, str, str, str]], which: ColumnElement[bool]
    ) -> dict[Any, Any]:
        """The rows under some names, one of each at most: those that stand, or were superseded.

        Asked for by key inside one kind, source and register: that is one range of the index to
        any database, where PostgreSQL reads the whole table for a list of whole names.
        """
        keys: dict[tuple[str, ...], list[str]] = {}
        for one in names:
            keys.setdefault(one[:3], []).append(one[3])
        query = select(entries.c.id, *name, entries.c.digest, entries.c.import_id).where(which)
        found = {}
        for where, wanted in keys.items():
            some = query.where(tuple_(*name[:3]) == where, entries.c.key.in_(wanted))
            for row in self._connection.execute(some):
                found[tuple(row[1:5])] = row
        return found

    def _data(self, rows: Iterable[int]) -> dict[int, bytes]:
        """What some rows say, by their numbers."""
        wanted = list(rows)
        if not wanted:
            return {}
        query = select(entries.c.id, entries.c.data).where(entries.c.id.in_(wanted))
        return {row.id: bytes(row.data) for row in self._connection.execute(query)}

    def _write_days(self) -> None:
        given = {(d.day, d.member, d.device_name, d.device_serial, d.user): d for d in self._days}
        self._days.clear()
        if not given:
            return
        self.counts["days"] += len(given)
        query = select(days.c.id, *day_itself, days.c.import_id).where(
            tuple_(*day_itself).in_(list(given))
        )
        for row in self._connection.execute(query):
            del given[tuple(row[1:6])]
            if row.import_id != self.number:
                self._again["days"].add(row.id)
        rows = [{**one._asdict(), "import_id": self.number} for one in given.values()]
        if rows:
            self._connection.execute(insert(days), rows)

    def _write_again(self) -> None:
        rows = [
            {"import_id": self.number, "what": what, "rows": packed(numbers)}
            for what, numbers in self._again.items()
            if numbers
        ]
        if rows:
            self._connection.execute(insert(again), rows)

    def _write_refused(self) -> None:
        if self._refused:
            rows = [{**one._asdict(), "import_id": self.number} for one in self._refused]
            self._connection.execute(insert(refusals), rows)
            self._refused.clear()


def packed(numbers: Iterable[int]) -> bytes:
    """Numbers of rows, as they are kept: what follows each other takes next to nothing."""
    listed = sorted(numbers)
    steps = [here - before for before, here in zip([0, *listed], listed, strict=False)]
    return zlib.compress(json.dumps(steps).encode())


def unpacked(data: bytes) -> list[int]:
    """The same numbers again."""
    return list(accumulate(json.loads(zlib.decompress(data))))

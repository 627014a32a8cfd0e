"""Reading verdicts back: as a run saw them, as they stand, and what changed between two runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select

from kitsurvie.ledger import packing, schema
from kitsurvie.ledger.interning import Words, parts
from kitsurvie.ledger.words import Change, Interval, LastSeen, Past, Seen
from kitsurvie.model import Answer, Evidence, Status, Verdict

# so many looks back are searched for a check that the last ones did not cover
LOOKS_BACK = 60
# so many looks have their evidence in memory at once
LOOKS_TOGETHER = 20

_looks = schema.observations.c
_held = schema.intervals.c

_INTERVAL = (
    _held.host_id, _held.check_id, _held.verdict_id, _held.from_look, _held.from_run,
    _held.from_at, _held.to_look, _held.to_run, _held.to_at,
)  # fmt: skip

# the number of a verdict, then the look, time and run that first gave it
_Held = tuple[int, int, float, int]


def seen(
    connection: Connection, run: int, hosts: Collection[str] | None = None
) -> Mapping[str, Seen]:
    """The last look at each host of a run (or at some of them), by name."""
    newest = (
        select(func.max(_looks.id)).where(_looks.run_id == run).group_by(_looks.host_id)
    ).scalar_subquery()
    query = (
        select(schema.observations, schema.hosts.c.name)
        .join(schema.hosts, schema.hosts.c.id == _looks.host_id)
        .where(_looks.id.in_(newest))
        .order_by(schema.hosts.c.name)
    )
    if hosts is not None:
        query = query.where(schema.hosts.c.name.in_(list(hosts)))
    rows = connection.execute(query).all()
    words = Words(connection)
    stood = _stood(connection, words, {row.host_id: row.id for row in rows})
    found = {}
    for row in rows:
        held = stood.get(row.host_id, {})
        verdicts = tuple(
            words.verdict(check, held[check][0])
            for check in words.coverage(row.coverage_id)
            if check in held
        )
        found[row.name] = Seen(row.name, row.at, verdicts, row.evidence)
    return found


def _stood(
    connection: Connection, words: Words, looks: Mapping[int, int]
) -> dict[int, dict[int, _Held]]:
    """By host and check: the verdict that stood at a look at that host, and since when."""
    stood: dict[int, dict[int, _Held]] = {}
    contents: set[int] = set()
    for some in parts(looks):
        query = (
            select(
                _held.host_id,
                _held.check_id,
                _held.verdict_id,
                _held.from_look,
                _held.from_at,
                _held.from_run,
            )
            .join(schema.observations, _looks.host_id == _held.host_id)
            .where(
                _looks.id.in_([looks[host] for host in some]),
                _held.from_look <= _looks.id,
                or_(_held.to_look.is_(None), _held.to_look > _looks.id),
            )
        )
        for host, check, *held in connection.execute(query):
            stood.setdefault(host, {})[check] = tuple(held)
            contents.add(held[0])
    words.learn(contents)
    return stood


def last_seen(
    connection: Connection, hosts: Iterable[str], newest: int | None = None
) -> Mapping[str, LastSeen]:
    """The last time that each of these hosts answered, with what stood then of every check.

    `newest` is the last run to look into. A host that never answered is left out.
    """
    words = Words(connection)
    names: dict[int, str] = {}
    for some in parts(hosts):
        query = select(schema.hosts.c.id, schema.hosts.c.name).where(schema.hosts.c.name.in_(some))
        names.update((number, name) for number, name in connection.execute(query))
    past = {host: _answered(connection, host, newest) for host in names}
    looks = {host: rows[0].id for host, rows in past.items() if rows}
    stood = _stood(connection, words, looks)
    found = {}
    for host, rows in past.items():
        if rows:
            known = stood.get(host, {})
            verdicts = tuple(_pasts(words, rows, known))
            found[names[host]] = LastSeen(rows[0].at, rows[0].run_id, verdicts)
    return found


def last_moments(
    connection: Connection, hosts: Iterable[str], *, after: int | None = None
) -> Mapping[str, float]:
    """When each of these hosts last answered, in any run or in one `after` that one.

    One that never did is left out.
    """
    last = (
        select(func.max(_looks.id))
        .where(_looks.host_id == schema.hosts.c.id, _looks.coverage_id.is_not(None))
        .correlate(schema.hosts)
    )
    if after is not None:
        later = select(schema.runs.c.id).where(schema.runs.c.id > after).limit(1)
        if connection.execute(later).first() is None:
            return {}
        last = last.where(_looks.run_id > after)
    found: dict[str, float] = {}
    for some in parts(hosts):
        query = (
            select(schema.hosts.c.name, _looks.at)
            .join(schema.observations, _looks.id == last.scalar_subquery())
            .where(schema.hosts.c.name.in_(some))
        )
        found.update((name, at) for name, at in connection.execute(query))
    return found


def _answered(connection: Connection, host: int, newest: int | None) -> list[Row[Any]]:
    query: Select[Any] = (
        select(_looks.id, _looks.run_id, _looks.at, _looks.coverage_id)
        .where(_looks.host_id == host, _looks.coverage_id.is_not(None))
        .order_by(_looks.id.desc())
        .limit(LOOKS_BACK)
    )
    if newest is not None:
        query = query.where(_looks.run_id <= newest)
    return list(connection.execute(query))


def _pasts(words: Words, rows: Sequence[Row[Any]], known: Mapping[int, _Held]) -> Iterator[Past]:
    """Each verdict that stood, with the newest look that gave it."""
    missing = dict(known)
    for row in rows:
        if not missing:
            break
        for check in words.coverage(row.coverage_id):
            if check in missing and missing[check][1] <= row.id:
                yield Past(words.verdict(check, missing.pop(check)[0]), row.at, row.run_id)
    for check, (verdict, _, at, run) in missing.items():
        yield Past(words.verdict(check, verdict), at, run)


def mark(connection: Connection, run: int) -> int:
    """The number of the last look that was written when a run ended; 0 when there was none."""
    own = connection.execute(select(func.max(_looks.id)).where(_looks.run_id == run)).scalar()
    if own is None:
        before = select(func.max(_looks.id)).where(_looks.run_id < run)
        own = connection.execute(before).scalar()
    return own or 0


def changes(connection: Connection, first: int, last: int) -> tuple[Change, ...]:
    """What stood after one look and stands otherwise after a later one, by host and check."""
    begun = select(schema.intervals).where(_held.from_look > first, _held.from_look <= last)
    over = select(schema.intervals).where(_held.to_look > first, _held.to_look <= last)
    pairs: dict[tuple[int, int], list[Row[Any]]] = {}
    rows = connection.execute(begun.union(over)).all()
    for row in sorted(rows, key=lambda row: row.from_look):
        pairs.setdefault((row.host_id, row.check_id), []).append(row)
    reader = _Reader(connection, rows)
    found = []
    for (host, check), held in pairs.items():
        before = [reader.interval(row) for row in held if row.from_look <= first]
        after = [reader.interval(r) for r in held if r.to_look is None or r.to_look > last]
        between = tuple(
            reader.interval(row).verdict.status
            for row in held
            if row.from_look > first and row.to_look is not None and row.to_look <= last
        )
        if before or after:
            measure, name = reader.words.checks[check]
            found.append(
                Change(
                    reader.hosts[host], measure, name,
                    before[0] if before else None, after[0] if after else None, between,
                )
            )  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.measure, one.check, one.host)))


def intervals(
    connection: Connection,
    statuses: Collection[Status],
    *,
    since: float | None,
    until_look: int | None,
    hosts: Collection[str] | None,
    measures: Collection[str] | None,
    said: bool,
) -> tuple[Interval, ...]:
    """Verdicts of these statuses, by host and check, the oldest first.

    Those that still stood at `since`, or began later; of these hosts and measures, or of all; with
    `until_look`, as they were known when that look was the last; without `said` no more of them
    than their status.
    """
    query = (
        select(*_INTERVAL, schema.verdicts.c.status)
        .join(schema.verdicts, schema.verdicts.c.id == _held.verdict_id)
        .where(schema.verdicts.c.status.in_([status.value for status in statuses]))
        .order_by(_held.host_id, _held.check_id, _held.from_look)
    )
    if since is not None:
        query = query.where(or_(_held.to_at.is_(None), _held.to_at >= since))
    if until_look is not None:
        query = query.where(_held.from_look <= until_look)
    if measures is not None:
        ids = select(schema.checks.c.id).where(schema.checks.c.measure.in_(list(measures)))
        query = query.where(_held.check_id.in_(ids.scalar_subquery()))
    rows = _narrowed(connection, query, hosts)
    reader = _Reader(connection, rows if said else ())
    names, words = reader.hosts, reader.words
    found = []
    # a year has so many rows that what is done for each of them is what is waited for
    for host, check, verdict, look, run, at, to_look, to_run, to_at, status in rows:
        told = words.verdict(check, verdict) if said else words.bare(check, status)
        if until_look is not None and to_look is not None and to_look > until_look:
            to_look = to_run = to_at = None
        found.append(Interval(names[host], told, look, run, at, to_look, to_run, to_at))
    return tuple(found)


def standing(connection: Connection, host: str) -> tuple[Interval, ...]:
    """What stands of one host now, all its checks."""
    query = (
        select(schema.intervals)
        .join(schema.hosts, schema.hosts.c.id == _held.host_id)
        .where(schema.hosts.c.name == host, _held.to_look.is_(None))
        .order_by(_held.check_id)
    )
    rows = connection.execute(query).all()
    reader = _Reader(connection, rows)
    return tuple(reader.interval(row) for row in rows)


def _narrowed(
    connection: Connection, query: Select[Any], hosts: Collection[str] | None
) -> list[Any]:
    if hosts is None:
        return list(connection.execute(query).all())
    rows: list[Any] = []
    for some in parts(sorted(hosts)):
        ids = select(schema.hosts.c.id).where(schema.hosts.c.name.in_(some))
        rows += connection.execute(query.where(_held.host_id.in_(ids.scalar_subquery()))).all()
    return rows


class _Reader:
    """Rows of intervals to intervals."""

    def __init__(self, connection: Connection, rows: Collection[Row[Any]]) -> None:
        self.words = Words(connection)
        self.words.learn(row.verdict_id for row in rows)
        names = select(schema.hosts.c.id, schema.hosts.c.name)
        self.hosts = {row.id: row.name for row in connection.execute(names)}

    def interval(self, row: Row[Any]) -> Interval:
        verdict: Verdict = self.words.verdict(row.check_id, row.verdict_id)
        return Interval(
            self.hosts[row.host_id], verdict, row.from_look, row.from_run, row.from_at,
            row.to_look, row.to_run, row.to_at,
        )  # fmt: skip


class Answers:
    """The evidence of one group of looks after the other, and no more in memory than of two."""

    def __init__(self) -> None:
        self._commands: dict[bytes, tuple[str, ...]] = {}
        self._answers: dict[bytes, Answer] = {}

    def read(self, connection: Connection, looks: Sequence[Seen]) -> list[Evidence | None]:
        """What was answered at each of these looks; None where it is no longer kept whole."""
        wanted = {look.evidence for look in looks if look.evidence is not None}
        manifests = {
            address: packing.addresses(data) for address, data in _contents(connection, wanted)
        }
        lists = {addresses[0] for addresses in manifests.values()}
        answers = {one for addresses in manifests.values() for one in addresses[1:]}
        # what the group before had and this one has not is forgotten
        commands = {one: self._commands[one] for one in lists if one in self._commands}
        known = {one: self._answers[one] for one in answers if one in self._answers}
        for address, data in _contents(connection, lists - commands.keys()):
            commands[address] = packing.unpack_commands(data)
        for address, data in _contents(connection, answers - known.keys()):
            known[address] = packing.unpack_answer(data)
        self._commands, self._answers = commands, known
        return [self._evidence(look, manifests) for look in looks]

    def _evidence(self, look: Seen, manifests: Mapping[bytes, list[bytes]]) -> Evidence | None:
        if look.evidence is None or look.evidence not in manifests:
            return None
        first, *rest = manifests[look.evidence]
        if first not in self._commands or any(one not in self._answers for one in rest):
            return None
        told = zip(self._commands[first], (self._answers[one] for one in rest), strict=True)
        return Evidence(look.host, dict(told))


def _contents(
    connection: Connection, addresses: Collection[bytes]
) -> Iterator[tuple[bytes, bytes]]:
    blobs = schema.blobs.c
    for some in parts(addresses):
        query = select(blobs.digest, blobs.data).where(blobs.digest.in_(some))
        for address, data in connection.execute(query):
            yield address, packing.restore(data)

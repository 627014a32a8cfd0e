"""Take away what is older than it has to be kept, bit by bit, while others may write.

Every step is a transaction of its own that leaves a ledger which is right: a prune that was cut
short is gone on with by the next. What stands now is never taken: the open intervals, the last look
at each host and the last at which it answered, with the evidence of those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    and_,
    delete,
    func,
    or_,
    select,
    union,
    update,
)

from kitsurvie.ledger import packing, readings, schema
from kitsurvie.ledger.interning import parts
from kitsurvie.ledger.words import Pruned, Retention

# so many rows go in one transaction: a run that waits for it waits for a moment
TOGETHER = 20_000
CONTENTS_TOGETHER = 500
BYTES_TOGETHER = 256 * 1024

Access = Callable[[], AbstractContextManager[Connection]]

_looks = schema.observations.c
_held = schema.intervals.c
_runs = schema.runs.c


@dataclass(frozen=True, slots=True)
class _Cut:
    """What is old: looks up to a number, runs begun before a time, words given for a day."""

    look: int
    evidence_look: int
    before: float
    day: str


def prune(read: Access, write: Access, keep: Retention) -> Pruned:
    """Take away what is older than that; gives what went."""
    with read() as connection:
        cut = _cut(connection, keep)
    with read() as connection:
        orphans = _orphans(connection, cut)
    looks = _by_number(write, schema.observations, _looks.id, cut.look, _old_look())
    intervals = _by_number(write, schema.intervals, _held.to_look, cut.look)
    acknowledgements = _whole(write, schema.acknowledgements, _old_acknowledgement(cut))
    run_hosts = _whole(write, schema.run_hosts, _old_run_host(cut))
    outcomes = _whole(write, schema.outcomes, schema.outcomes.c.run_id.in_(_old_runs(cut)))
    runs = _whole(write, schema.runs, _old_run(cut))
    contents = _whole(write, schema.verdicts, _unused_verdict(cut, done=True))
    contents += _whole(write, schema.coverages, _unused_coverage(cut, done=True))
    answers, size = _sweep(write, orphans)
    with write() as connection:
        counted = readings.forget(connection, cut.day)
    return Pruned(
        looks, intervals, runs, run_hosts, outcomes, acknowledgements, contents, answers, size,
        counted,
    )  # fmt: skip


def foretell(read: Access, keep: Retention) -> Pruned:
    """What `prune` would take away now; nothing is written."""
    with read() as connection:
        cut = _cut(connection, keep)
        orphans = _orphans(connection, cut)

        def count(table: FromClause, condition: ColumnElement[bool]) -> int:
            query = select(func.count()).select_from(table).where(condition)
            return int(connection.execute(query).scalar_one())

        return Pruned(
            looks=count(schema.observations, and_(_looks.id <= cut.look, _old_look())),
            intervals=count(schema.intervals, _held.to_look <= cut.look),
            runs=count(schema.runs, _old_run(cut)),
            run_hosts=count(schema.run_hosts, _old_run_host(cut)),
            outcomes=count(schema.outcomes, schema.outcomes.c.run_id.in_(_old_runs(cut))),
            acknowledgements=count(schema.acknowledgements, _old_acknowledgement(cut)),
            contents=count(schema.verdicts, _unused_verdict(cut))
            + count(schema.coverages, _unused_coverage(cut)),
            answers=len(orphans.sizes),
            answers_bytes=sum(orphans.sizes.values()),
            readings=readings.old(connection, cut.day),
        )


def _cut(connection: Connection, keep: Retention) -> _Cut:
    return _Cut(
        _last_old(connection, keep.verdicts_from),
        _last_old(connection, keep.evidence_from),
        keep.verdicts_from,
        date.fromtimestamp(keep.verdicts_from).isoformat(),
    )


def _last_old(connection: Connection, before: float) -> int:
    """The last look before the first of the runs that are kept; none goes by a host's own clock."""
    kept = select(_runs.id).where(_runs.started_at >= before).scalar_subquery()
    first = connection.execute(select(func.min(_looks.id)).where(_looks.run_id.in_(kept))).scalar()
    if first is not None:
        return int(first) - 1
    return int(connection.execute(select(func.max(_looks.id))).scalar() or 0)


def _last_looks() -> Select[tuple[int]]:
    """The last look at each host, and the last at which it answered."""
    last = select(func.max(_looks.id)).group_by(_looks.host_id)
    answered = last.where(_looks.coverage_id.is_not(None))
    both = union(last, answered).subquery()
    return select(both.c[0])


def _old_look() -> ColumnElement[bool]:
    return _looks.id.not_in(_last_looks().scalar_subquery())


def _kept_look(cut: _Cut) -> ColumnElement[bool]:
    return or_(_looks.id > cut.look, _looks.id.in_(_last_looks().scalar_subquery()))


def _newest_runs() -> Select[tuple[int]]:
    """The newest run of each kind: what a resumed deployment goes on from."""
    return select(func.max(_runs.id)).group_by(_runs.kind)


def _old_runs(cut: _Cut) -> Select[tuple[int]]:
    """Runs that were begun before, of which no look is kept."""
    kept = select(_looks.run_id).where(_kept_look(cut))
    return select(_runs.id).where(
        _runs.started_at < cut.before,
        _runs.id.not_in(kept.scalar_subquery()),
        _runs.id.not_in(_newest_runs().scalar_subquery()),
    )


def _old_run(cut: _Cut) -> ColumnElement[bool]:
    """Of those, the ones that began no verdict which is kept: they say who found it."""
    kept = or_(_held.to_look.is_(None), _held.to_look > cut.look)
    begun = union(
        select(_held.from_run).where(kept),
        select(_held.to_run).where(kept, _held.to_run.is_not(None)),
    ).subquery()
    return and_(
        _runs.id.in_(_old_runs(cut).scalar_subquery()),
        _runs.id.not_in(select(begun.c[0]).scalar_subquery()),
    )


def _old_run_host(cut: _Cut) -> ColumnElement[bool]:
    table = schema.run_hosts.c
    before = select(_runs.id).where(
        _runs.started_at < cut.before, _runs.id.not_in(_newest_runs().scalar_subquery())
    )
    look = (
        select(_looks.id)
        .where(_looks.run_id == table.run_id, _looks.host_id == table.host_id, _kept_look(cut))
        .exists()
    )
    return and_(table.run_id.in_(before.scalar_subquery()), ~look)


def _old_acknowledgement(cut: _Cut) -> ColumnElement[bool]:
    return schema.acknowledgements.c.until < cut.day


def _unused_verdict(cut: _Cut, *, done: bool = False) -> ColumnElement[bool]:
    used = select(_held.verdict_id)
    if not done:
        used = used.where(or_(_held.to_look.is_(None), _held.to_look > cut.look))
    return schema.verdicts.c.id.not_in(used.scalar_subquery())


def _unused_coverage(cut: _Cut, *, done: bool = False) -> ColumnElement[bool]:
    used = select(_looks.coverage_id).where(_looks.coverage_id.is_not(None))
    if not done:
        used = used.where(_kept_look(cut))
    return schema.coverages.c.id.not_in(used.scalar_subquery())


def _by_number(
    write: Access,
    table: Table,
    column: ColumnElement[int],
    last: int,
    also: ColumnElement[bool] | None = None,
) -> int:
    """Delete the rows whose look is no later than the last, the oldest first, in short steps."""
    gone = 0
    conditions = [column <= last] if also is None else [column <= last, also]
    while True:
        with write() as connection:
            _announce(connection)
            some = select(column).where(*conditions).order_by(column).limit(TOGETHER).subquery()
            upto = connection.execute(select(func.max(some.c[0]))).scalar()
            if upto is None:
                return gone
            gone += connection.execute(delete(table).where(column <= upto, *conditions)).rowcount


def _whole(write: Access, table: Table, condition: ColumnElement[bool]) -> int:
    with write() as connection:
        _announce(connection)
        return connection.execute(delete(table).where(condition)).rowcount


def _announce(connection: Connection) -> None:
    """Tell those who write that what they have stored may be gone; they wait until this is done."""
    connection.execute(update(schema.version).values(prunings=schema.version.c.prunings + 1))


@dataclass(frozen=True, slots=True)
class _Orphans:
    """Contents that no kept look and no list of commands named, after the look of that number."""

    sizes: Mapping[bytes, int]
    last: int

    def steps(self) -> Iterator[list[bytes]]:
        """The addresses, so many at a time that one transaction is small: the disk may be full."""
        some: list[bytes] = []
        size = 0
        for address, more in self.sizes.items():
            if some and (len(some) >= CONTENTS_TOGETHER or size + more > BYTES_TOGETHER):
                yield some
                some, size = [], 0
            some.append(address)
            size += more
        if some:
            yield some


def _orphans(connection: Connection, cut: _Cut) -> _Orphans:
    last = int(connection.execute(select(func.max(_looks.id))).scalar() or 0)
    young = or_(_looks.id > cut.evidence_look, _looks.id.in_(_last_looks().scalar_subquery()))
    named = set(_named(connection, young))
    named.update(_learnt(connection))
    blobs = schema.blobs.c
    every = connection.execute(select(blobs.digest, func.length(blobs.data)))
    return _Orphans({address: size for address, size in every if address not in named}, last)


def _named(connection: Connection, which: ColumnElement[bool]) -> Iterator[bytes]:
    """The evidence of some looks: the manifests, and what these name."""
    query = select(_looks.evidence).where(_looks.evidence.is_not(None), which).distinct()
    for some in parts(connection.execute(query).scalars()):
        yield from some
        contents = select(schema.blobs.c.data).where(schema.blobs.c.digest.in_(some))
        for data in connection.execute(contents).scalars():
            yield from packing.addresses(packing.restore(data))


def _learnt(connection: Connection) -> Iterable[bytes]:
    return connection.execute(select(schema.learnt.c.commands).distinct()).scalars()


def _sweep(write: Access, orphans: _Orphans) -> tuple[int, int]:
    """Delete contents that nothing names, not even what was written since they were found."""
    count = size = 0
    for some in orphans.steps():
        with write() as connection:
            _announce(connection)
            named = {*_named(connection, _looks.id > orphans.last), *_learnt(connection)}
            gone = [address for address in some if address not in named]
            size += sum(orphans.sizes[address] for address in gone)
            blobs = schema.blobs
            count += connection.execute(delete(blobs).where(blobs.c.digest.in_(gone))).rowcount
    return count, size

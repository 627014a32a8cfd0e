"""Open the ledger, write what is known as soon as it is known, read it back."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from functools import cache
from typing import Any, Self

from sqlalchemy import Connection, Engine, Insert, Table, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from kitsurvie.errors import LedgerError
from kitsurvie.ledger import (
    acknowledging,
    counting,
    database,
    looks,
    migration,
    packing,
    pruning,
    reading,
    readings,
    schema,
)
from kitsurvie.ledger import hand_ins as handed
from kitsurvie.ledger.interning import Numbers, parts
from kitsurvie.ledger.register import Register
from kitsurvie.ledger.words import (
    Acknowledgement,
    Change,
    Ended,
    Interval,
    LastLook,
    LastSeen,
    Marks,
    Outcome,
    Pruned,
    Record,
    Retention,
    Run,
    RunState,
    Seen,
    Tally,
)
from kitsurvie.model import Evidence, Reading, Status


class Ledger:
    """Runs, outcomes, verdicts and evidence, on SQLite or any SQLAlchemy URL."""

    def __init__(self, engine: Engine, place: str) -> None:
        self._engine = engine
        self._place = place
        self._stored: set[bytes] = set()
        self._numbers = Numbers()
        self._prunings = -1
        self._together: Connection | None = None

    @classmethod
    def open(cls, url: str, *, reading: bool = False) -> Self:
        """Open the ledger, made if it is new, brought to today's format if it is older.

        With `reading` it must be there, in today's format, and nothing of it can be written. Raises
        LedgerError when it cannot be read, or was written by a newer kitsurvie.
        """
        book = cls(*database.connect(url, reading=reading))
        try:
            book._check_version(reading=reading)
        except BaseException:
            book.close()
            raise
        return book

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()

    @contextmanager
    def at_once(self) -> Iterator[Self]:
        """Everything read inside is of one moment, whatever others write meanwhile.

        For one thread, and to read alone.
        """
        with database.clear(self._place), self._engine.connect() as connection:
            if self._engine.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                self._together = connection
                try:
                    yield self
                finally:
                    self._together = None

    @property
    def register(self) -> Register:
        """The register of equipment."""
        return Register(self._read, self._write)

    # -- runs ---------------------------------------------------------------------------------

    def start_run(
        self, kind: str, by_whom: str, options: Mapping[str, Any], hosts: Iterable[str] = ()
    ) -> int:
        """Write that a run of these hosts began, all of them pending; gives its number.

        In one transaction: a run cut short at its very start still says whom it was for.
        """
        with self._write() as connection:
            result = connection.execute(
                insert(schema.runs).values(
                    kind=kind,
                    state=RunState.RUNNING.value,
                    by_whom=by_whom,
                    options=json.dumps(options, ensure_ascii=False),
                    started_at=time.time(),
                )
            )
            number = int((result.inserted_primary_key or (0,))[0])
            self._stand(connection, number, ((host, Outcome.PENDING, "") for host in hosts))
            return number

    def end_run(self, run: int, state: RunState) -> None:
        """Write that a run is over."""
        with self._write() as connection:
            connection.execute(
                update(schema.runs)
                .where(schema.runs.c.id == run)
                .values(state=state.value, ended_at=time.time())
            )

    def runs(
        self, *kinds: str, limit: int | None = 20, since: float | None = None
    ) -> tuple[Run, ...]:
        """The newest runs first, of these kinds or of any, started at `since` or later."""
        query = select(schema.runs).order_by(schema.runs.c.id.desc()).limit(limit)
        if kinds:
            query = query.where(schema.runs.c.kind.in_(kinds))
        if since is not None:
            query = query.where(schema.runs.c.started_at >= since)
        with self._read() as connection:
            return tuple(_run(row) for row in connection.execute(query))

    def run(self, number: int) -> Run:
        """One run; raises LedgerError when there is none of that number."""
        with self._read() as connection:
            row = connection.execute(
                select(schema.runs).where(schema.runs.c.id == number)
            ).one_or_none()
        if row is None:
            raise LedgerError(
                f"The ledger has no run {number}.",
                where=self._place,
                remedy="`kitsurvie compliance show` names the newest one.",
            )
        return _run(row)

    # -- hosts of a run -----------------------------------------------------------------------

    def set_hosts(self, run: int, hosts: Iterable[str], state: Outcome, detail: str = "") -> None:
        """Write where hosts stand in a run, at once."""
        stands = [(host, state, detail) for host in hosts]
        if stands:
            with self._write() as connection:
                self._stand(connection, run, stands)

    def hosts(self, run: int) -> Mapping[str, tuple[Outcome, str]]:
        """Where each host of a run stands, and why."""
        table = schema.run_hosts.c
        query = (
            select(schema.hosts.c.name, table.state, table.detail)
            .join(schema.hosts, schema.hosts.c.id == table.host_id)
            .where(table.run_id == run)
            .order_by(schema.hosts.c.name)
        )
        with self._read() as connection:
            return {r.name: (Outcome(r.state), r.detail) for r in connection.execute(query)}

    def set_outcome(self, run: int, host: str, measure: str, state: str, detail: str = "") -> None:
        """Write what Ansible did with one measure on one host."""
        row = {
            "run_id": run, "host": host, "measure": measure, "state": state, "detail": detail,
        }  # fmt: skip
        with self._write() as connection:
            self._upsert(connection, schema.outcomes, [row], ("state", "detail"))

    def outcomes(self, run: int) -> Mapping[tuple[str, str], tuple[str, str]]:
        """(host, measure) -> (state, detail) of a run."""
        query = select(schema.outcomes).where(schema.outcomes.c.run_id == run)
        with self._read() as connection:
            return {(r.host, r.measure): (r.state, r.detail) for r in connection.execute(query)}

    # -- observations -------------------------------------------------------------------------

    def record(
        self, run: int, records: Sequence[Record], *, brought_in: bool = False
    ) -> frozenset[str]:
        """Write what was seen of some hosts and where they stand, in one transaction.

        Looks count in the order in which they are written, so that one that a later one overtook,
        whoever wrote it, is left out, and its host given back. What a run saw itself is overtaken
        by runs that began after it, and its hosts stand in it all the same. Looks `brought_in` are
        overtaken by any, and their hosts are then not of this run.
        """
        contents: dict[bytes, bytes] = {}
        manifests: list[bytes | None] = []
        for record in records:
            manifest = None
            if record.evidence is not None:
                joined, named = packing.pack_evidence(record.evidence)
                manifest = packing.digest(joined)
                contents.update(named)
            manifests.append(manifest)
        if not records:
            return frozenset()
        with self._write() as connection:
            last = self._turn(connection, len(records))
            others = reading.last_moments(
                connection, [record.host for record in records], after=None if brought_in else run
            )
            overtaken = {r.host for r in records if others.get(r.host, r.at) > r.at}
            asked = connection.execute(select(schema.runs.c.options).where(schema.runs.c.id == run))
            # a run of some measures alone says nothing of the others
            whole = not json.loads(asked.scalar_one()).get("measures")
            self._store(connection, contents)
            sights = [
                looks.Sight(
                    last - len(records) + number, run, record.host, record.at, record.verdicts,
                    record.evidence is not None or bool(record.verdicts), whole, manifest,
                )
                for number, (record, manifest) in enumerate(
                    zip(records, manifests, strict=True), start=1
                )
                if record.host not in overtaken
            ]  # fmt: skip
            if sights:
                looks.write(connection, self._numbers, sights)
            counted = [r.reading for r in records if r.reading and r.host not in overtaken]
            if counted:
                readings.write(connection, self._engine.dialect.name, counted)
            gone = overtaken if brought_in else ()
            stands = [(r.host, r.state, r.detail) for r in records if r.host not in gone]
            self._stand(connection, run, stands)
        return frozenset(overtaken)

    def last_moments(self, hosts: Iterable[str]) -> Mapping[str, float]:
        """When each of these hosts last answered; one that never did is left out."""
        with self._read() as connection:
            return reading.last_moments(connection, hosts)

    def seen(self, run: int, hosts: Collection[str] | None = None) -> Mapping[str, Seen]:
        """The last look at each host of a run, or at some of them."""
        with self._read() as connection:
            return reading.seen(connection, run, hosts)

    def last_seen(self, hosts: Iterable[str], newest: int | None = None) -> Mapping[str, LastSeen]:
        """The last time that each of these hosts answered; one that never did is left out.

        With what stood then of every check, and when its answers came in: a run that was asked for
        some measures alone is completed from those before it. `newest`: the last run to look into.
        """
        with self._read() as connection:
            return reading.last_seen(connection, hosts, newest)

    # -- verdicts and their time --------------------------------------------------------------

    def changes(self, before: int, after: int) -> tuple[Change, ...]:
        """What stood when a run ended and stands otherwise when a later one ended.

        A host that was not reached keeps what was last known of it.
        """
        with self._read() as connection:
            first, last = reading.mark(connection, before), reading.mark(connection, after)
            return reading.changes(connection, first, last)

    def intervals(
        self,
        *statuses: Status,
        since: float | None = None,
        until_run: int | None = None,
        hosts: Collection[str] | None = None,
        measures: Collection[str] | None = None,
        said: bool = True,
    ) -> tuple[Interval, ...]:
        """Verdicts of these statuses, by host and check, the oldest first.

        Those that stood at `since` or began later, of these hosts and measures or of all; with
        `until_run`, as they were known when that run ended. Without `said` a verdict has its status
        and nothing of what it says: reading that takes as long again.
        """
        with self._read() as connection:
            last = None if until_run is None else reading.mark(connection, until_run)
            return reading.intervals(
                connection, statuses, since=since, until_look=last, hosts=hosts,
                measures=measures, said=said,
            )  # fmt: skip

    def standing(self, host: str) -> tuple[Interval, ...]:
        """What stands of one host now, check by check."""
        with self._read() as connection:
            return reading.standing(connection, host)

    # -- numbers --------------------------------------------------------------------------------

    def marks(self) -> Marks:
        """What tells, without reading it, whether anything of the runs or the register changed."""
        with self._read() as connection:
            there = self._engine.dialect.has_table(connection, counting.REGISTER)
            return counting.marks(connection, register=there)

    def last_looks(self) -> Mapping[str, LastLook]:
        """The newest look at each host that was ever looked at, and when it last answered."""
        with self._read() as connection:
            return counting.last_looks(connection)

    def tally(self) -> Iterator[Tally]:
        """How many checks of each measure have which status now, host by host."""
        with self._read() as connection:
            yield from counting.tally(connection)

    def last_ended(self) -> tuple[Ended, ...]:
        """The newest run of each kind that came to its end or was ended, by kind."""
        with self._read() as connection:
            return counting.last_ended(connection)

    def last_success(self, kind: str) -> float | None:
        """When a run of that kind last came to its end with an answer of at least one host."""
        with self._read() as connection:
            return counting.last_success(connection, kind)

    # -- acknowledgements ---------------------------------------------------------------------

    def acknowledge(self, said: Acknowledgement) -> None:
        """Write that somebody answers for a drift; it takes the place of an earlier word."""
        with self._write() as connection:
            host = self._numbers.hosts(connection, [said.host])[said.host]
            check = (said.measure, said.check)
            acknowledging.acknowledge(
                connection, host, self._numbers.checks(connection, [check])[check], said
            )

    def acknowledgements(self) -> tuple[Acknowledgement, ...]:
        """Of each drift that was not mended since, the last word; its day may be past."""
        with self._read() as connection:
            return acknowledging.unmended(connection)

    # -- retention ----------------------------------------------------------------------------

    def prune(self, keep: Retention) -> Pruned:
        """Take away what is older than that, while others may write; gives what went.

        What stands is never taken: verdicts that hold, the last look at each host. Cut short, it
        is gone on with by the next.
        """
        with database.clear(self._place):
            database.be_sparing(self._engine)
        return pruning.prune(self._read, self._write, keep)

    def prunable(self, keep: Retention) -> Pruned:
        """What `prune` would take away now; nothing is written."""
        return pruning.foretell(self._read, keep)

    def give_back(self) -> tuple[int, int]:
        """Give free room back to the file system; the ledger's size before and after, in bytes."""
        with database.clear(self._place):
            return database.give_back(self._engine)

    def size(self) -> int:
        """Bytes that the ledger takes on its disk."""
        with database.clear(self._place):
            return database.size(self._engine)

    # -- evidence -----------------------------------------------------------------------------

    def evidence(self, seen: Seen) -> Evidence | None:
        """What the host answered when it was seen, verbatim; None when it gave nothing.

        Raises LedgerError when that is no longer kept.
        """
        ((_, found),) = self.evidences([seen])
        if found is None and seen.evidence is not None:
            raise LedgerError(
                "Part of this evidence is no longer in the ledger.",
                where=self._place,
                remedy="It may have been pruned; take a newer run.",
            )
        return found

    def evidences(self, looks: Iterable[Seen]) -> Iterator[tuple[Seen, Evidence | None]]:
        """The same for many looks, in order, a few at a time; what was pruned since is None too.

        What hosts answered alike is read once for all of them that follow each other.
        """
        reader = reading.Answers()
        for some in parts(looks, reading.LOOKS_TOGETHER):
            with self._read() as connection:
                found = reader.read(connection, some)
            yield from zip(some, found, strict=True)

    # -- commands learnt ----------------------------------------------------------------------

    def learn(self, scope: str, commands: Sequence[str]) -> None:
        """Keep the commands that a class of hosts, or one host, needs."""
        data = packing.pack_commands(commands)
        with self._write() as connection:
            self._turn(connection, 0)
            self._store(connection, {packing.digest(data): data})
            row = {"scope": scope, "commands": packing.digest(data)}
            self._upsert(connection, schema.learnt, [row], ("commands",))

    def learnt(self) -> Mapping[str, tuple[str, ...]]:
        """Every scope with its commands."""
        query = select(schema.learnt.c.scope, schema.blobs.c.digest, schema.blobs.c.data).join(
            schema.blobs, schema.blobs.c.digest == schema.learnt.c.commands
        )
        lists: dict[bytes, tuple[str, ...]] = {}
        scopes = {}
        with self._read() as connection:
            for row in connection.execute(query):
                if row.digest not in lists:
                    lists[row.digest] = packing.unpack_commands(packing.restore(row.data))
                scopes[row.scope] = lists[row.digest]
        return scopes

    # -- machines that observe themselves -----------------------------------------------------

    def hand_ins(self) -> Mapping[str, handed.LastHandIn]:
        """What each machine last handed in of itself, by host."""
        with self._read() as connection:
            there = self._engine.dialect.has_table(connection, handed.NAME)
            return handed.read(connection, there=there)

    def handed_in(self, taken: Iterable[handed.LastHandIn]) -> None:
        """Write what was just taken, in one transaction; each replaces its machine's last."""
        with self._write() as connection:
            handed.write(connection, self._engine.dialect.name, taken)

    # -- what probes counted ------------------------------------------------------------------

    def readings(self, start: date, end: date) -> tuple[Reading, ...]:
        """By machine and day, those of a period and the last before it of each machine."""
        with self._read() as connection:
            return readings.read(connection, start, end)

    def last_uses(self) -> Mapping[str, str]:
        """The last day of use (ISO) of each machine whose probe collects it."""
        with self._read() as connection:
            return readings.last_uses(connection)

    # -- inside -------------------------------------------------------------------------------

    def _stand(
        self, connection: Connection, run: int, stands: Iterable[tuple[str, Outcome, str]]
    ) -> None:
        listed = list(stands)
        if not listed:
            return
        numbers = self._numbers.hosts(connection, (host for host, _, _ in listed))
        rows = [
            {"run_id": run, "host_id": numbers[host], "state": state.value, "detail": detail}
            for host, state, detail in listed
        ]
        self._upsert(connection, schema.run_hosts, rows, ("state", "detail"))

    def _turn(self, connection: Connection, count: int) -> int:
        """Wait until nobody else writes looks, take numbers for ours; gives the last of them."""
        connection.execute(update(schema.version).values(looks=schema.version.c.looks + count))
        last, prunings = connection.execute(
            select(schema.version.c.looks, schema.version.c.prunings)
        ).one()
        if prunings != self._prunings:
            # what this process has written may have been pruned since
            self._stored.clear()
            self._numbers.forget()
            self._prunings = prunings
        return int(last)

    def _store(self, connection: Connection, contents: Mapping[bytes, bytes]) -> None:
        rows = [
            {"digest": address, "data": packing.squeeze(data)}
            for address, data in contents.items()
            if address not in self._stored
        ]
        if rows:
            self._upsert(connection, schema.blobs, rows, ())
            self._stored.update(contents)

    def _upsert(
        self,
        connection: Connection,
        table: Any,
        rows: Sequence[Mapping[str, Any]],
        changing: Sequence[str],
    ) -> None:
        statement = _upsertion(self._engine.dialect.name, table, tuple(changing))
        connection.execute(statement, list(rows))

    def _check_version(self, *, reading: bool) -> None:
        with self._read() as connection:
            version = self._version(connection)
        if reading and (version is None or version < schema.SCHEMA_VERSION):
            raise LedgerError(
                "There is no ledger yet."
                if version is None
                else f"This ledger is of an older format ({version}).",
                where=self._place,
                remedy="Any other command that reads it makes it, or brings it to today's format: "
                "kitsurvie compliance run",
            )
        if version is not None and version > schema.SCHEMA_VERSION:
            raise LedgerError(
                f"This ledger was written by a newer kitsurvie (format {version}, "
                f"this one reads up to {schema.SCHEMA_VERSION}).",
                where=self._place,
                remedy="Upgrade kitsurvie on this machine; nothing was changed.",
            )
        if version != schema.SCHEMA_VERSION:
            self._make(version)

    def _version(self, connection: Connection) -> int | None:
        known = self._engine.dialect.has_table(connection, "ledger_version")
        found = connection.execute(select(schema.version.c.version)) if known else None
        return None if found is None else found.scalar()

    def _make(self, found: int | None) -> None:
        with self._write() as connection:
            # another process may have done it while this one waited
            version = self._version(connection)
            if version is None:
                schema.metadata.create_all(connection)
                connection.execute(insert(schema.version).values(version=schema.SCHEMA_VERSION))
            elif version < schema.SCHEMA_VERSION:
                migration.migrate(connection, version)
        if found is not None:
            # it may want as much room again; what is not given back now is used again later
            with suppress(SQLAlchemyError):
                database.compact(self._engine)

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        if self._together is not None:
            yield self._together
            return
        with database.clear(self._place), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        try:
            with database.clear(self._place), self._engine.connect() as connection:
                writing = connection.execution_options(**{database.WRITING: True})
                with writing.begin():
                    yield writing
        except BaseException:
            # what was not kept has no number, and is not stored
            self._stored.clear()
            self._numbers.forget()
            raise


@cache
def _upsertion(dialect: str, table: Table, changing: tuple[str, ...]) -> Insert:
    """Insert, or change these columns of the row that has the key; made once, since it is slow."""
    keys = [column.name for column in table.primary_key]
    new: Any = database.insert_of(dialect, table)
    values = {name: new.excluded[name] for name in changing}
    made: Insert = (
        new.on_conflict_do_update(index_elements=keys, set_=values)
        if values
        else new.on_conflict_do_nothing(index_elements=keys)
    )
    return made


def _run(row: Any) -> Run:
    return Run(
        id=row.id,
        kind=row.kind,
        state=RunState(row.state),
        by_whom=row.by_whom,
        options=json.loads(row.options),
        started_at=row.started_at,
        ended_at=row.ended_at,
    )

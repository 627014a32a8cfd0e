"""Open the ledger, write what is known as soon as it is known, read it back."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from sqlalchemy import (
    Connection,
    Engine,
    Insert,
    Table,
    create_engine,
    event,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from kitsurvie.errors import LedgerError
from kitsurvie.ledger import hand_ins as handed
from kitsurvie.ledger import packing, schema
from kitsurvie.model import Evidence, Verdict
from kitsurvie.workspace import make_private, open_private

# how long to wait for another process that is writing
BUSY_MS = 20_000


class RunState(StrEnum):
    """How a run stands. One still `running` with nobody holding its lock was cut short."""

    RUNNING = "running"
    ENDED = "ended"
    INTERRUPTED = "interrupted"


class Outcome(StrEnum):
    """Where one host stands in a run."""

    PENDING = "pending"
    DONE = "done"
    DRIFT = "drift"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    ERROR = "error"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the ledger has it; times are seconds since the epoch."""

    id: int
    kind: str
    state: RunState
    by_whom: str
    options: Mapping[str, Any]
    started_at: float
    ended_at: float | None


@dataclass(frozen=True, slots=True)
class Seen:
    """One host as it was last looked at in a run."""

    host: str
    at: float
    verdicts: tuple[Verdict, ...]
    evidence: bytes | None


@dataclass(frozen=True, slots=True)
class Record:
    """One look at one host, to be written, and where the host stands in the run after it.

    `evidence` is None when the host gave none.
    """

    host: str
    at: float
    verdicts: tuple[Verdict, ...]
    evidence: Evidence | None
    state: Outcome
    detail: str = ""


class Ledger:
    """Runs, outcomes, verdicts and evidence, on SQLite or any SQLAlchemy URL."""

    def __init__(self, engine: Engine, place: str) -> None:
        self._engine = engine
        self._place = place
        self._stored: set[bytes] = set()

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the ledger, made if it is new.

        Raises LedgerError when it cannot be read, or was written by a newer kitsurvie.
        """
        place = _place(url)
        try:
            parsed = make_url(url)
            _make_folder(parsed)
            parsed = _readable(parsed)
            engine = create_engine(parsed)
        except (ArgumentError, ImportError, OSError) as error:
            raise LedgerError(
                f"The ledger's address cannot be used: {error}.",
                where=place,
                remedy="Mend `ledger` in kitsurvie.toml, or take it out for the default.",
            ) from error
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _tune_sqlite)
        book = cls(engine, place)
        book._check_version()
        return book

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()

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
            stands = [(host, Outcome.PENDING, "") for host in hosts]
            if stands:
                self._stand(connection, number, stands)
            return number

    def end_run(self, run: int, state: RunState) -> None:
        """Write that a run is over."""
        with self._write() as connection:
            connection.execute(
                update(schema.runs)
                .where(schema.runs.c.id == run)
                .values(state=state.value, ended_at=time.time())
            )

    def runs(self, *kinds: str, limit: int = 20) -> tuple[Run, ...]:
        """The newest runs first, of these kinds or of any."""
        query = select(schema.runs).order_by(schema.runs.c.id.desc()).limit(limit)
        if kinds:
            query = query.where(schema.runs.c.kind.in_(kinds))
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
        query = select(schema.run_hosts).where(schema.run_hosts.c.run_id == run)
        with self._read() as connection:
            return {r.host: (Outcome(r.state), r.detail) for r in connection.execute(query)}

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

    def record(self, run: int, records: Sequence[Record]) -> None:
        """Write what was seen of some hosts and where they stand, in one transaction."""
        contents: dict[bytes, bytes] = {}
        rows = []
        for record in records:
            verdicts = packing.pack_verdicts(record.verdicts)
            contents[packing.digest(verdicts)] = verdicts
            manifest = None
            if record.evidence is not None:
                manifest, named = packing.pack_evidence(record.evidence)
                contents.update(named)
            rows.append(
                {
                    "run_id": run,
                    "host": record.host,
                    "at": record.at,
                    "verdicts": packing.digest(verdicts),
                    "evidence": packing.digest(manifest) if manifest is not None else None,
                }
            )
        with self._write() as connection:
            self._store(connection, contents)
            if rows:
                connection.execute(insert(schema.observations), rows)
                self._stand(connection, run, [(r.host, r.state, r.detail) for r in records])

    def seen(self, run: int) -> Mapping[str, Seen]:
        """The last look at each host of a run."""
        newest = (
            select(func.max(schema.observations.c.id))
            .where(schema.observations.c.run_id == run)
            .group_by(schema.observations.c.host)
        )
        query = (
            select(schema.observations, schema.blobs.c.data)
            .join(schema.blobs, schema.blobs.c.digest == schema.observations.c.verdicts)
            .where(schema.observations.c.id.in_(newest))
            .order_by(schema.observations.c.host)
        )
        unpacked: dict[bytes, tuple[Verdict, ...]] = {}
        seen = {}
        with self._read() as connection:
            for row in connection.execute(query):
                if row.verdicts not in unpacked:
                    unpacked[row.verdicts] = packing.unpack_verdicts(packing.restore(row.data))
                seen[row.host] = Seen(row.host, row.at, unpacked[row.verdicts], row.evidence)
        return seen

    def evidence(self, seen: Seen) -> Evidence | None:
        """What the host answered when it was seen, verbatim; None when it gave nothing."""
        if seen.evidence is None:
            return None
        with self._read() as connection:
            manifest = self._content(connection, seen.evidence)
            return packing.unpack_evidence(
                seen.host, manifest, lambda address: self._content(connection, address)
            )

    # -- commands learnt ----------------------------------------------------------------------

    def learn(self, scope: str, commands: Sequence[str]) -> None:
        """Keep the commands that a class of hosts, or one host, needs."""
        data = packing.pack_commands(commands)
        with self._write() as connection:
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

    # -- inside -------------------------------------------------------------------------------

    def _stand(
        self, connection: Connection, run: int, stands: Iterable[tuple[str, Outcome, str]]
    ) -> None:
        rows = [
            {"run_id": run, "host": host, "state": state.value, "detail": detail}
            for host, state, detail in stands
        ]
        self._upsert(connection, schema.run_hosts, rows, ("state", "detail"))

    def _store(self, connection: Connection, contents: Mapping[bytes, bytes]) -> None:
        rows = [
            {"digest": address, "data": packing.squeeze(data)}
            for address, data in contents.items()
            if address not in self._stored
        ]
        if rows:
            self._upsert(connection, schema.blobs, rows, ())
            self._stored.update(contents)

    def _content(self, connection: Connection, address: bytes) -> bytes:
        stored = connection.execute(
            select(schema.blobs.c.data).where(schema.blobs.c.digest == address)
        ).scalar_one_or_none()
        if stored is None:
            raise LedgerError(
                "Part of this evidence is no longer in the ledger.",
                where=self._place,
                remedy="It may have been pruned; take a newer run.",
            )
        return packing.restore(stored)

    def _upsert(
        self,
        connection: Connection,
        table: Any,
        rows: Sequence[Mapping[str, Any]],
        changing: Sequence[str],
    ) -> None:
        statement = _upsertion(self._engine.dialect.name, table, tuple(changing))
        connection.execute(statement, list(rows))

    def _check_version(self) -> None:
        with self._read() as connection:
            known = self._engine.dialect.has_table(connection, "ledger_version")
            version = connection.execute(select(schema.version)).scalar() if known else None
        if version is None:
            with self._write() as connection:
                schema.metadata.create_all(connection)
                connection.execute(insert(schema.version).values(version=schema.SCHEMA_VERSION))
        elif version > schema.SCHEMA_VERSION:
            raise LedgerError(
                f"This ledger was written by a newer kitsurvie (format {version}, "
                f"this one reads up to {schema.SCHEMA_VERSION}).",
                where=self._place,
                remedy="Upgrade kitsurvie on this machine; nothing was changed.",
            )

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with _clear(self._place), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with _clear(self._place), self._engine.begin() as connection:
            yield connection


@cache
def _upsertion(dialect: str, table: Table, changing: tuple[str, ...]) -> Insert:
    """Insert, or change these columns of the row that has the key; made once, since it is slow."""
    keys = [column.name for column in table.primary_key]
    new: Any = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    values = {name: new.excluded[name] for name in changing}
    made: Insert = (
        new.on_conflict_do_update(index_elements=keys, set_=values)
        if values
        else new.on_conflict_do_nothing(index_elements=keys)
    )
    return made


@contextmanager
def _clear(place: str) -> Iterator[None]:
    """Turn the database's words into a sentence with a remedy."""
    try:
        yield
    except SQLAlchemyError as error:
        said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
        raise LedgerError(_sentence(said), where=place, remedy=_remedy(said)) from error


def _sentence(said: str) -> str:
    if "readonly" in said or "read-only" in said:
        return "The ledger cannot be written: it is read-only."
    if "locked" in said:
        return "The ledger is locked by another process."
    if "full" in said:
        return "The ledger cannot be written: the disk is full."
    if "unable to open" in said:
        return "The ledger cannot be opened."
    if "not a database" in said or "malformed" in said:
        return "The ledger is damaged, or is no ledger."
    return f"The ledger did not obey: {said.splitlines()[0]}."


def _remedy(said: str) -> str:
    if "locked" in said:
        return "Wait for it to end, then start again; nothing was lost."
    if "full" in said:
        return "Free some room, then run again with --resume."
    if "not a database" in said or "malformed" in said:
        return "Put it aside and bring back last night's copy."
    return "Check who owns the file and its folder, and that the disk is mounted for writing."


def _tune_sqlite(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    # a power cut must not lose what was written; WAL lets `show` read during a run.
    # On a read-only disk the mode cannot change, and reading works all the same.
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
    except Exception:
        connection.rollback()
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _make_folder(url: URL) -> None:
    name = url.database or ""
    # `file:` begins a URI of SQLite's own, which is no path
    if url.get_backend_name() == "sqlite" and name and not name.startswith((":memory:", "file:")):
        path = Path(name)
        make_private(path.parent)
        # what hosts answered is for the sysadmins alone; SQLite gives its own files the same rights
        if not path.exists():
            os.close(open_private(path, os.O_WRONLY))


def _readable(url: URL) -> URL:
    """On a read-only disk SQLite cannot open a ledger unless it is told that nothing changes."""
    if url.get_backend_name() != "sqlite" or not url.database or url.query:
        return url
    path = Path(url.database)
    if not path.exists() or os.access(path.parent, os.W_OK):
        return url
    quoted = quote(str(path.resolve()))
    return url.set(database=f"file:{quoted}", query={"immutable": "1", "mode": "ro", "uri": "true"})


def _place(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "the ledger setting of kitsurvie.toml"


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

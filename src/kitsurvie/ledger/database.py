"""The database under the ledger: how it is opened, and its words as sentences with a remedy."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from kitsurvie.errors import LedgerError
from kitsurvie.ledger import schema
from kitsurvie.workspace import make_private, open_private

# how long to wait for another process that is writing
BUSY_MS = 20_000
# how long a reader that is asked again and again waits for a server to let it in
CONNECT_S = 10
WRITING = "kitsurvie_writing"
# what SQLite calls that mode, and how much is given back in one transaction (4 KiB each)
INCREMENTAL = 2
PAGES_TOGETHER = 1000


def connect(url: str, *, reading: bool = False) -> tuple[Engine, str]:
    """An engine for the ledger, and its place as it may be shown.

    `reading`: nothing is made, and nothing can be written. Raises LedgerError when the address
    cannot be used.
    """
    where = place(url)
    try:
        parsed = make_url(url)
        if not reading:
            _make_folder(parsed)
        more: dict[str, Any] = {}
        if parsed.get_driver_name() == "psycopg":
            # PostgreSQL would keep the plan that a statement had when its table was still empty
            more["prepare_threshold"] = None
            if reading:
                more["connect_timeout"] = CONNECT_S
        engine = create_engine(_readable(parsed, reading=reading), connect_args=more)
    except ModuleNotFoundError as error:
        raise LedgerError(
            f"The ledger's database has no driver here: Python module {error.name} is missing.",
            where=where,
            remedy="For PostgreSQL: pip install 'kitsurvie[postgresql]', and an address that "
            "begins with postgresql+psycopg://.",
        ) from error
    except (ArgumentError, ImportError, OSError) as error:
        raise LedgerError(
            f"The ledger's address cannot be used: {error}.",
            where=where,
            remedy="Mend `ledger` in kitsurvie.toml, or take it out for the default.",
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite_to_read if reading else _tune_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    elif engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _tune_postgresql)
        if reading:
            event.listen(engine, "connect", _only_read_postgresql)
    return engine, where


def insert_of(dialect: str, table: Table) -> Any:
    """An insert that can say what to do where the row is there already, in the database's words."""
    if dialect == "postgresql":
        # read where it is used: with its drivers it takes longer than to open a ledger
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def compact(engine: Engine) -> None:
    """Write an SQLite ledger anew, so that it can be given back bit by bit from then on.

    Wants as much room as the ledger has. PostgreSQL uses its room again by itself.
    """
    if engine.dialect.name == "sqlite":
        with _raw(engine) as raw:
            raw.execute("PRAGMA auto_vacuum=INCREMENTAL")
            raw.execute("VACUUM")
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def be_sparing(engine: Engine) -> None:
    """Have what is deleted next write little to the disk: it may be full, that is why.

    Freed pages are not filled with zeros first (they are given back, or written over), and the
    write-ahead log is emptied every quarter of a megabyte.
    """
    if engine.dialect.name == "sqlite":
        with _raw(engine) as raw:
            raw.execute("PRAGMA secure_delete=FAST").fetchall()
            raw.execute("PRAGMA wal_autocheckpoint=64").fetchall()


def give_back(engine: Engine) -> tuple[int, int]:
    """Give free pages back to the file system; the size before and after, in bytes.

    In short steps, each a transaction: a run that is under way waits for a moment, a power cut
    loses nothing, and a full disk suffices.
    """
    before = size(engine)
    if engine.dialect.name == "sqlite":
        with _raw(engine) as raw:
            mode = raw.execute("PRAGMA auto_vacuum").fetchone()[0]
        if mode != INCREMENTAL:
            compact(engine)
        with _raw(engine) as raw:
            free = raw.execute("PRAGMA freelist_count").fetchone()[0]
            while free:
                raw.execute(f"PRAGMA incremental_vacuum({PAGES_TOGETHER})").fetchall()
                left = raw.execute("PRAGMA freelist_count").fetchone()[0]
                if left >= free:
                    break
                free = left
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return before, size(engine)


def size(engine: Engine) -> int:
    """Bytes that the ledger takes: its files, or its tables and indexes on PostgreSQL."""
    if engine.dialect.name == "sqlite":
        with _raw(engine) as raw:
            rows = raw.execute("PRAGMA database_list").fetchall()
        files = [Path(row[2] + end) for row in rows if row[2] for end in ("", "-wal")]
        return sum(file.stat().st_size for file in files if file.exists())
    total = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname"
    names = [table.name for table in schema.metadata.sorted_tables]
    with engine.connect() as connection:
        query = text(f"{total} = ANY(:names) AND pg_table_is_visible(oid)")
        return int(connection.execute(query, {"names": names}).scalar() or 0)


@contextmanager
def _raw(engine: Engine) -> Iterator[Any]:
    """SQLite's own connection, in no transaction; its complaints as SQLAlchemy's."""
    with engine.connect() as connection:
        try:
            yield connection.connection.driver_connection
        except sqlite3.Error as error:
            raise OperationalError(None, None, error) from error


def place(url: str) -> str:
    """The address without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "the ledger setting of kitsurvie.toml"


@contextmanager
def clear(where: str) -> Iterator[None]:
    """Turn the database's words into a sentence with a remedy."""
    try:
        yield
    except SQLAlchemyError as error:
        said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
        raise LedgerError(_sentence(said), where=where, remedy=_remedy(said)) from error


def _sentence(said: str) -> str:
    if "readonly" in said or "read-only" in said:
        return "The ledger cannot be written: it is read-only."
    if "locked" in said or "lock timeout" in said:
        return "The ledger is locked by another process."
    if _full(said):
        return "The ledger cannot be written: the disk is full."
    if "unable to open" in said:
        return "The ledger cannot be opened."
    if "not a database" in said or "malformed" in said:
        return "The ledger is damaged, or is no ledger."
    if _away(said):
        why = said.splitlines()[0].rpartition("failed: ")[2].removeprefix("FATAL:").strip()
        return f"The ledger's database does not answer: {why.rstrip('.')}."
    return f"The ledger did not obey: {said.splitlines()[0]}."


def _remedy(said: str) -> str:
    if "locked" in said or "lock timeout" in said:
        return "Wait for it to end, then start again; nothing was lost."
    if _full(said):
        return (
            "Free some room, then run it again (a deployment with --resume); what was written "
            "before is kept, and `kitsurvie compliance prune` gives old evidence's room back."
        )
    if "not a database" in said or "malformed" in said:
        return "Put it aside and bring back last night's copy."
    if _away(said):
        return (
            "Check that the server runs, that it lets this account in, and `ledger` in "
            "kitsurvie.toml; what was written before is kept."
        )
    return "Check who owns the file and its folder, and that the disk is mounted for writing."


def _away(said: str) -> bool:
    return "connection to server" in said or "server closed the connection" in said


def _full(said: str) -> bool:
    return "is full" in said or "No space left" in said


def _tune_sqlite(connection: Any, _: object) -> None:
    # transactions are begun by `_begin_sqlite`, never behind our back
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    try:
        # of a new ledger: what is pruned can be given back to the file system bit by bit
        cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
        # a power cut must not lose what was written; WAL lets `show` read during a run.
        # On a read-only disk the mode cannot change, and reading works all the same.
        cursor.execute("PRAGMA journal_mode=WAL")
    except Exception:
        connection.rollback()
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _tune_sqlite_to_read(connection: Any, _: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _only_read_postgresql(connection: Any, _: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    connection.commit()


def _tune_postgresql(connection: Any, _: object) -> None:
    # it would wait for ever
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {BUSY_MS}")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # who will write waits for the others at once: a transaction that read first and writes later
    # is refused when another wrote meanwhile
    writing = connection.get_execution_options().get(WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _make_folder(url: URL) -> None:
    name = url.database or ""
    # `file:` begins a URI of SQLite's own, which is no path
    if url.get_backend_name() == "sqlite" and name and not name.startswith((":memory:", "file:")):
        path = Path(name)
        make_private(path.parent)
        # what hosts answered is for the sysadmins alone; SQLite gives its own files the same rights
        if not path.exists():
            os.close(open_private(path, os.O_WRONLY))


def _readable(url: URL, *, reading: bool) -> URL:
    """On a read-only disk SQLite cannot open a ledger unless it is told that nothing changes."""
    if url.get_backend_name() != "sqlite" or not url.database or url.query:
        return url
    path = Path(url.database)
    how = {"mode": "ro", "uri": "true"}
    if not path.exists() or os.access(path.parent, os.W_OK):
        # what is there is never made, when it is only to be read
        if not reading or url.database.startswith((":memory:", "file:")):
            return url
    else:
        how["immutable"] = "1"
    quoted = quote(str(path.resolve()))
    return url.set(database=f"file:{quoted}", query=how)

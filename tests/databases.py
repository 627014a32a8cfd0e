"""The databases that a ledger may stand on: SQLite, and PostgreSQL as Debian packages it.

The server listens on a socket in a folder of its own and on no network; it is started when a test
first asks for it and ends with the tests. Each test has a schema of its own in it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

_START_S = 60
_numbers = count(1)


class Server:
    """A running PostgreSQL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def url(self) -> str:
        """A ledger's address, with nothing in it yet."""
        schema = f"ledger_{next(_numbers)}"
        with psycopg.connect(self._where, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {schema}")
        path = quote(f"-csearch_path={schema}", safe="")
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}&options={path}"

    @property
    def _where(self) -> str:
        return f"host={self.folder} user=postgres dbname=postgres"

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + _START_S
        while True:
            try:
                psycopg.connect(self._where).close()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
            else:
                return


@contextmanager
def postgresql() -> Iterator[Server]:
    """A server, started and ended."""
    programs = _programs()
    # the path of a socket may have 107 bytes, which a test's own folder is too long for
    folder = Path(tempfile.mkdtemp(prefix="kitsurvie-pg-"))
    # it refuses to be root
    who: dict[str, Any] = {"user": "postgres", "group": "postgres", "extra_groups": []}
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    else:
        who = {}
    try:
        subprocess.run(
            [programs / "initdb", "--no-sync", "--auth=trust", "--username=postgres",
             "--encoding=UTF8", "--locale=C", folder / "data"],
            check=True, capture_output=True, cwd=folder, **who,
        )  # fmt: skip
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", folder / "data", "-k", folder,
                 "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"],
                stdout=log, stderr=log, cwd=folder, start_new_session=True, **who,
            )  # fmt: skip
        try:
            made = Server(folder)
            made.wait()
            yield made
        finally:
            server.send_signal(signal.SIGINT)  # "fast": connections are ended
            server.wait(timeout=60)
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    assert found, "PostgreSQL is not installed: apt-get install postgresql"
    return found[-1]

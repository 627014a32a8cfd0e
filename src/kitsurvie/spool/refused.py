"""What was refused: a line each in a log, and the bytes put aside for whoever must look at them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from kitsurvie.errors import WorkspaceError
from kitsurvie.spool.slots import Spooled
from kitsurvie.workspace import REFUSED, Workspace, make_private, open_private

LOG = "refused.log"
# a stolen key may send rubbish all day: the newest is enough to see what it is
KEPT_FILES = 100
KEPT_BYTES = 64 << 10
LOG_BYTES = 1 << 20


class Refused:
    """The folder `refused` of a workspace's state."""

    def __init__(self, workspace: Workspace) -> None:
        self.folder = workspace.make_state() / REFUSED

    def put_aside(self, one: Spooled, why: str) -> None:
        """Write a line, and keep the first bytes of what was refused.

        Raises WorkspaceError when that cannot be done.
        """
        try:
            self._put_aside(one, why)
        except OSError as error:
            raise WorkspaceError(
                f"What was refused cannot be put aside: {error.strerror}.",
                where=str(error.filename or self.folder),
                remedy="Mend the rights or the space there; a link there is none of ours: look who "
                "put it, and take it away.",
            ) from error

    def _put_aside(self, one: Spooled, why: str) -> None:
        make_private(self.folder)
        digest = sha256(one.data).hexdigest()[:16]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        log = self.folder / LOG
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_name(f"{LOG}.1"))
        # the timer's ingest may write here, and a sysadmin's may be root's: no link leads elsewhere
        handle = open_private(log, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            source = f" from {one.address}" if one.address else ""
            file.write(f"{now} {one.host}{source}: {why} [{digest}]\n")
        kept = self.folder / f"{one.host}-{digest}.bin"
        handle = open_private(kept, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
        with os.fdopen(handle, "wb") as file:
            file.write(one.data[:KEPT_BYTES])
        self._newest_only()

    def _newest_only(self) -> None:
        files = [entry for entry in os.scandir(self.folder) if entry.name.endswith(".bin")]
        files.sort(key=lambda entry: (entry.stat().st_mtime_ns, entry.name))
        for entry in files[:-KEPT_FILES]:
            Path(entry.path).unlink(missing_ok=True)

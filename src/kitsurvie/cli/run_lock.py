"""One run at a time in a workspace; Ansible that outlives its command line still holds the lock."""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kitsurvie.cli.context import who
from kitsurvie.errors import RunError, WorkspaceError
from kitsurvie.workspace import make_private, open_private

ORPHAN_POLL_S = 1.0
GONE_S = 0.1
# what holds the lock of ingests
INGEST = "an ingest"
_UNIT = re.compile(r"/(kitsurvie-[a-z]+)\.service$", re.MULTILINE)


@contextmanager
def hold(
    path: Path,
    what: str,
    *,
    wait_for_orphan: bool,
    tell: Callable[[str], None],
    wait_s: float = 0,
) -> Iterator[int]:
    """Hold the run's lock; gives its file descriptor, for Ansible's process to inherit.

    When what holds it is Ansible going on after its command line died, and `wait_for_orphan`,
    waits for it to end; for another run that is alive, `wait_s` seconds. Raises RunError then.
    """
    descriptor = _open(path)
    try:
        _take(descriptor, path, wait_for_orphan=wait_for_orphan, tell=tell, wait_s=wait_s)
        os.ftruncate(descriptor, 0)
        os.pwrite(
            descriptor,
            json.dumps(
                {"pid": os.getpid(), "born": _born(os.getpid()), "what": what, "by": who()}
            ).encode(),
            0,
        )
        yield descriptor
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        make_private(path.parent)
        return open_private(path, os.O_RDWR | os.O_NOFOLLOW)
    except OSError as error:
        raise WorkspaceError(
            f"The workspace cannot be written: {error.strerror}.",
            where=str(path),
            remedy="Check who owns the workspace and that its disk is mounted for writing.",
        ) from error


def _take(
    descriptor: int,
    path: Path,
    *,
    wait_for_orphan: bool,
    tell: Callable[[str], None],
    wait_s: float,
) -> None:
    told = gone = False
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, born, what, by = _holder(descriptor)
            alive, over = _alive(pid, born), time.monotonic() >= deadline
            if not alive and not gone:
                # it may have ended since we asked for the lock
                gone = True
                time.sleep(GONE_S)
                continue
            if alive and over:
                raise RunError(
                    f"{_under_way(what)}, process {pid}, by {by}.",
                    where=str(path),
                    remedy=f"Wait for it to end, or stop it {_how_to_stop(pid)}.",
                ) from None
            if not alive and not wait_for_orphan and over:
                raise RunError(
                    f"Ansible is still finishing what {what} began before it was cut short.",
                    where=str(path),
                    remedy="kitsurvie deploy --resume waits for it and goes on; or try later.",
                ) from None
            if not told:
                tell(
                    f"Waiting for the end of {what}, process {pid}, by {by}..."
                    if alive
                    else f"Waiting for Ansible to finish what {what} began before it was cut "
                    "short..."
                )
                told = True
            time.sleep(ORPHAN_POLL_S)
        else:
            return


def _under_way(what: str) -> str:
    """An ingest is no run: it goes on beside one."""
    if what == INGEST:
        return "An ingest is under way here already"
    return f"Another run is under way here: {what}"


def _how_to_stop(pid: int) -> str:
    """Nobody sits in front of what a unit of systemd runs."""
    try:
        groups = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        groups = ""
    unit = _UNIT.search(groups)
    return f"there: systemctl stop {unit[1]}" if unit else "with Ctrl-C where it runs"


def _holder(descriptor: int) -> tuple[int, str, str, str]:
    try:
        written = json.loads(os.pread(descriptor, 4096, 0))
        born, what, by = (str(written[name]) for name in ("born", "what", "by"))
        return int(written["pid"]), born, what, by
    except (ValueError, KeyError, TypeError):
        return 0, "", "an earlier run", ""


def _alive(pid: int, born: str) -> bool:
    """Whether that very process still runs: its number may be another's by now."""
    return pid > 0 and bool(born) and _born(pid) == born


def _born(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty when it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    # a killed parent may linger as a zombie until it is reaped
    return "" if state == "Z" else fields[18]

"""One control group per machine, so that nothing of it can outlive it unseen.

The names are read back from the kernel: they tell what runs better than any file of pids.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from kitsurvie.errors import LabError

_MOUNT = Path("/sys/fs/cgroup")
_FAMILY = "kitsurvie-lab"


def hierarchy() -> Path:
    """Where the version 2 hierarchy is mounted: alone, or beside the older one.

    Raises LabError when the kernel offers none.
    """
    for candidate in (_MOUNT, _MOUNT / "unified"):
        if (candidate / "cgroup.procs").is_file() and (candidate / "cgroup.controllers").is_file():
            return candidate
    raise LabError(
        "This machine has no version 2 control groups, and Debian 13 does not boot without them.",
        where=str(_MOUNT),
        remedy="Mount them (mount -t cgroup2 none /sys/fs/cgroup/unified), or use another kernel.",
    )


def of_lab(prefix: str) -> Path:
    """The group of a whole lab (it may not exist)."""
    return hierarchy() / _FAMILY / prefix


def of_machine(prefix: str, name: str) -> Path:
    """The group of one machine: `keeper` holds its keeper, `machine` all the rest."""
    return of_lab(prefix) / name


def pids(group: Path) -> list[int]:
    """Every process in a group and below it."""
    found: list[int] = []
    for folder, _names, _files in os.walk(group):
        with contextlib.suppress(OSError):
            found += [int(line) for line in (Path(folder) / "cgroup.procs").read_text().split()]
    return found


def kill(group: Path, *, within_s: float = 10.0) -> bool:
    """End every process of a group, and say whether it is empty within the time given."""
    limit = time.monotonic() + within_s
    while pids(group):
        try:
            (group / "cgroup.kill").write_text("1")
        except OSError:  # a kernel older than 5.14
            for pid in pids(group):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


def remove(group: Path) -> None:
    """Take an empty group away, and the twin that nspawn makes in the older hierarchy."""
    below = group.relative_to(hierarchy())
    for root in (hierarchy(), _MOUNT / "systemd"):
        for folder, _names, _files in os.walk(root / below, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
        for parent in below.parents:
            if parent != Path():
                with contextlib.suppress(OSError):
                    (root / parent).rmdir()

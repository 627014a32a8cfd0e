"""The kernel settings that labs need of their host, put back as they were by the last one to go."""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

KERNEL = Path("/proc/sys")
RUNTIME = Path("/run/kitsurvie-lab")

# setting -> the least that is enough
NEEDED = {
    "net/ipv4/ip_forward": 1,
    # A booted systemd holds some twenty: 24 machines do not boot with the usual 128.
    "fs/inotify/max_user_instances": 2048,
    # A thousand addresses behind one bridge are a thousand neighbours.
    "net/ipv4/neigh/default/gc_thresh2": 4096,
    "net/ipv4/neigh/default/gc_thresh3": 8192,
}


def hold(prefix: str, *, kernel: Path = KERNEL, runtime: Path = RUNTIME) -> None:
    """Raise what is too low, on behalf of the lab `prefix`."""
    with _holders(runtime) as folder:
        (folder / prefix).touch()
        file = runtime / "settings.json"
        before = json.loads(file.read_text()) if file.exists() else {}
        for name, enough in NEEDED.items():
            setting = kernel / name
            value = int(setting.read_text())
            if value < enough:
                before.setdefault(name, value)
                file.write_text(json.dumps(before))
                setting.write_text(f"{enough}\n")


def release(
    prefix: str,
    still_there: Callable[[str], bool],
    *,
    kernel: Path = KERNEL,
    runtime: Path = RUNTIME,
) -> None:
    """Let go; the last lab puts everything back. `still_there` tells of another lab by prefix."""
    with _holders(runtime) as folder:
        (folder / prefix).unlink(missing_ok=True)
        for other in folder.iterdir():
            if not still_there(other.name):
                other.unlink()  # that lab died without its `down`
        file = runtime / "settings.json"
        if any(folder.iterdir()) or not file.exists():
            return
        for name, value in json.loads(file.read_text()).items():
            with contextlib.suppress(OSError):
                (kernel / name).write_text(f"{value}\n")
        file.unlink()


@contextmanager
def _holders(runtime: Path) -> Iterator[Path]:
    folder = runtime / "holders"
    folder.mkdir(parents=True, exist_ok=True)
    with (runtime / "holders.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder

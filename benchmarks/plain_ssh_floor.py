"""The floor under an observation: the same command and bytes, fed by parallel plain `ssh`.

Nothing is decoded, judged or kept: what this takes is the price of the sessions themselves.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from kitsurvie.fleet.target import Target


def floor(
    targets: Sequence[Target], command: str, stdin: bytes, *, timeout_s: float = 120
) -> float:
    """Seconds until every target has answered `command`, all at once, one `ssh` each.

    Keys are checked against the pinned ones, as the fleet does. Targets behind a jump host are
    not supported. Raises RuntimeError for a target that fails: a floor with holes is none.
    """
    with tempfile.TemporaryDirectory(prefix="floor-") as name:
        folder = Path(name)
        (folder / "stdin").write_bytes(stdin)
        lines = [_arguments(target, command, folder) for target in targets]
        started = time.perf_counter()
        running = [_start(arguments, folder / "stdin") for arguments in lines]
        # one reader at a time is enough: ssh buffers what a pipe does not take
        answers = [process.communicate(timeout=timeout_s) for process in running]
        elapsed = time.perf_counter() - started
    for target, process, (out, err) in zip(targets, running, answers, strict=True):
        if process.returncode != 0 or not out:
            raise RuntimeError(f"{target.name}: {process.returncode} {err.decode().strip()}")
    return elapsed


def _start(arguments: list[str], stdin: Path) -> subprocess.Popen[bytes]:
    with stdin.open("rb") as file:
        return subprocess.Popen(
            arguments, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )


def _arguments(target: Target, command: str, folder: Path) -> list[str]:
    if target.jump is not None:
        raise RuntimeError(f"{target.name} is behind a jump host")
    known_hosts = folder / target.name
    known_hosts.write_text("".join(f"{target.name} {key}\n" for key in target.host_keys))
    options = {
        "BatchMode": "yes",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlias": target.name,
        "LogLevel": "ERROR",
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    if target.key_file is not None:
        words += ["-i", target.key_file, "-o", "IdentitiesOnly=yes"]
    road = ["-T", "-p", str(target.port), "-l", target.user]
    return ["ssh", "-F", "none", *words, *road, "--", target.address, command]

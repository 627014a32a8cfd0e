"""Run a command in a virtual machine through qemu's guest agent: no network, no account.

The agent talks to one of us at a time, a line of JSON each way, over a socket of qemu's. So every
exchange is a connection of its own, and a long command is asked after, not waited for.
"""

from __future__ import annotations

import base64
import json
import secrets
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kitsurvie.errors import LabError

# a machine with a small part of a busy host's processor takes long over a single answer
ANSWERS_WITHIN_S = 60.0
_ASK_EVERY_S = 0.1


def run(
    path: Path, argv: Sequence[str], stdin: bytes, environment: Sequence[str], timeout_s: float
) -> subprocess.CompletedProcess[bytes]:
    """What a command says, run as root in the machine whose agent listens at `path`.

    Raises LabError when the agent does not answer, subprocess.TimeoutExpired after `timeout_s`
    (the command may then go on).
    """
    limit = time.monotonic() + timeout_s
    arguments = {
        "path": "/usr/bin/env",
        "arg": ["-i", *environment, *argv],
        "input-data": base64.b64encode(stdin).decode(),
        "capture-output": True,
    }
    started = ask(path, "guest-exec", arguments)
    while time.monotonic() < limit:
        said = ask(path, "guest-exec-status", {"pid": started["pid"]})
        if said["exited"]:
            return completed(argv, said)
        time.sleep(_ASK_EVERY_S)
    raise subprocess.TimeoutExpired(list(argv), timeout_s)


def completed(argv: Sequence[str], said: dict[str, Any]) -> subprocess.CompletedProcess[bytes]:
    """The agent's report as Python would give it: a signal is a negative status."""
    status = -said["signal"] if "signal" in said else said.get("exitcode", -1)
    streams = [base64.b64decode(said.get(key, "")) for key in ("out-data", "err-data")]
    return subprocess.CompletedProcess(list(argv), status, *streams)


def hears(path: Path) -> bool:
    """Whether the agent answers, asked briefly: a machine that is starting does not."""
    try:
        _exchange(path, {"execute": "guest-ping"}, within_s=5.0)
    except (OSError, ValueError):
        return False
    return True


def ask(path: Path, command: str, arguments: dict[str, Any] | None = None) -> Any:
    """One question to the agent. Raises LabError when there is no answer, or it is a refusal."""
    question = {"execute": command, **({"arguments": arguments} if arguments else {})}
    try:
        answer = _exchange(path, question)
    except (OSError, ValueError) as error:
        raise LabError(
            f"{path.parent.name} does not hear us: {error}.",
            where=str(path),
            remedy="It may be starting, or too busy; its console.log tells.",
        ) from error
    if "error" in answer:
        raise LabError(
            f"{path.parent.name} refuses {command}: {answer['error'].get('desc', '?')}.",
            where=str(path),
            remedy="Look at the service qemu-guest-agent of that machine.",
        )
    return answer["return"]


def _exchange(
    path: Path, question: dict[str, Any], *, within_s: float = ANSWERS_WITHIN_S
) -> dict[str, Any]:
    """Ask, after having made sure that no answer to somebody else is left on the line."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(within_s)
        line.connect(str(path))
        token = secrets.randbits(31)
        # 0xff ends whatever half a question the agent may have kept
        sync = {"execute": "guest-sync", "arguments": {"id": token}}
        line.sendall(b"\xff" + json.dumps(sync).encode() + b"\n")
        with line.makefile("rb") as answers:
            while _parsed(answers.readline()).get("return") != token:
                continue
            line.sendall(json.dumps(question).encode() + b"\n")
            return _parsed(answers.readline())


def _parsed(text: bytes) -> dict[str, Any]:
    if not text:
        raise ValueError("the line was closed")
    try:
        said = json.loads(text.lstrip(b"\xff"))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}

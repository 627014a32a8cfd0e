"""The JSON lines between the client and the worker. Standard library only.

To the worker: start, target, blob, drop, run, finish. From it: state, reply. Bytes travel as
base64. The same stdin for many hosts travels once, as a blob.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

from kitsurvie.fleet.target import Reply, Trouble


def line(kind: str, **fields: Any) -> bytes:
    """One message as one line."""
    return json.dumps({"kind": kind, **fields}, separators=(",", ":")).encode() + b"\n"


def text(data: bytes) -> str:
    """Bytes as they travel."""
    return b64encode(data).decode("ascii")


def data(encoded: str) -> bytes:
    """The bytes that travelled."""
    return b64decode(encoded)


def reply_line(job: int, reply: Reply) -> bytes:
    """A reply as one line."""
    return line(
        "reply",
        job=job,
        host=reply.host,
        exit_code=reply.exit_code,
        stdout=text(reply.stdout),
        stderr=text(reply.stderr),
        trouble=reply.trouble,
        detail=reply.detail,
        connect_s=round(reply.connect_s, 4),
        command_s=round(reply.command_s, 4),
        logged_in=reply.logged_in,
    )


def reply(message: dict[str, Any]) -> Reply:
    """The reply a line stands for."""
    return Reply(
        host=message["host"],
        exit_code=message["exit_code"],
        stdout=data(message["stdout"]),
        stderr=data(message["stderr"]),
        trouble=Trouble(message["trouble"]) if message["trouble"] else None,
        detail=message["detail"],
        connect_s=message["connect_s"],
        command_s=message["command_s"],
        logged_in=message["logged_in"],
    )

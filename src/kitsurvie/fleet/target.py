"""What is reached and within which limits, and what came back. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Target:
    """One host and the road to it.

    `key_file` None means the agent and the default keys of the person at the keyboard.
    `host_keys` are the pinned keys as `ssh-ed25519 AAAA...`; none means not enrolled. `jump` is
    `user@address[:port]` or None. `site` names what shares one narrow line ("" = nothing does).
    """

    name: str
    address: str
    port: int
    user: str
    key_file: str | None
    host_keys: tuple[str, ...]
    jump: str | None = None
    site: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds in seconds, bytes and hosts.

    `connect_s` is the whole way from the first packet to being logged in; `command_s` is one
    command, from its start to its last byte; `max_bytes` is stdout and stderr of one command
    together; `parallel` is how many hosts are worked on at once, `parallel_per_site` how many of
    one site.
    """

    connect_s: float
    command_s: float
    max_bytes: int
    parallel: int
    parallel_per_site: int


class Trouble(StrEnum):
    """Why a host gave no answer that can be used."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    NOT_ENROLLED = "not_enrolled"
    KEY_CHANGED = "key_changed"
    AUTHENTICATION = "authentication"
    JUMP = "jump"
    SUDO = "sudo"
    MISSING = "missing"
    TOO_LARGE = "too_large"
    CLOSED = "closed"
    RUBBISH = "rubbish"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Reply:
    """What one command on one host gave.

    `exit_code` is None when the host did not say. With `trouble` the bytes are what came before
    it, at most 1,024 of each stream. `connect_s` is 0 when the connection was already open.
    `logged_in` says whether the host let us in before whatever came then.
    """

    host: str
    exit_code: int | None
    stdout: bytes
    stderr: bytes
    trouble: Trouble | None = None
    detail: str = ""
    connect_s: float = 0.0
    command_s: float = 0.0
    logged_in: bool = False

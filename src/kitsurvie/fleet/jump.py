"""The road through a jump host: OpenSSH as a proxy, talking over a socket pair.

OpenSSH and not a ProxyJump of the SSH library: it checks the jump host's key against our file,
never asks and never learns a key by itself.
"""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import IO

from kitsurvie.fleet.target import Target
from kitsurvie.inventory import names, road

# what ssh says when the jump host let us in and the road beyond it is closed
_BEYOND = ("stdio forwarding failed", "open failed: connect failed")


class JumpRefused(Exception):
    """The jump is not `user@address[:port]`, or no file of pinned jump keys was given."""


class Jump:
    """A running proxy. `sock` carries the bytes of the SSH connection to the target."""

    def __init__(
        self, target: Target, known_hosts: str | None, log: Path, connect_s: float
    ) -> None:
        arguments = _arguments(target, known_hosts, connect_s)
        self.sock, theirs = socket.socketpair()
        self._log = log
        with theirs, log.open("wb") as errors:
            self._process = _start(arguments, theirs, errors)

    def fault(self) -> tuple[bool, str] | None:
        """None while the proxy lives; else whether the jump itself is at fault, and its words."""
        try:
            self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            return None
        words = self._log.read_text(encoding="utf-8", errors="replace")[:2000]
        said = [line.strip() for line in words.splitlines() if line.strip()]
        beyond = any(mark in words for mark in _BEYOND)
        # of a closed road the first line says most, of a refusal the last one
        said = said[:1] if beyond else said[-1:]
        return not beyond, (said[0] if said else f"ssh ended with {self._process.returncode}")

    def close(self) -> None:
        """End the proxy and forget its log."""
        self.sock.close()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._log.unlink(missing_ok=True)


def _start(arguments: list[str], sock: socket.socket, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    end = sock.fileno()
    return subprocess.Popen(arguments, stdin=end, stdout=end, stderr=errors)


def _arguments(target: Target, known_hosts: str | None, connect_s: float) -> list[str]:
    jump = names.jump(target.jump)
    if jump is None:
        raise JumpRefused(f"kit__jump is not user@address[:port]: {target.jump}")
    if known_hosts is None:
        raise JumpRefused("no file of pinned jump host keys was given")
    return road.through(
        jump, known_hosts, target.address, target.port,
        key_file=target.key_file, connect_s=connect_s,
    )  # fmt: skip

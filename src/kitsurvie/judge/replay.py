"""A testinfra backend that answers from a host's evidence instead of asking the host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from kitsurvie.model import Answer


class NotAsked(BaseException):
    """The evidence has no answer to this command yet.

    Not an Exception, so that a check which tolerates failures cannot swallow it.
    """

    def __init__(self, command: str) -> None:
        super().__init__(command)
        self.command = command


class NotWhole(BaseException):
    """The host was asked, but its answer was cut: nothing can be concluded from it."""

    def __init__(self, command: str, flaw: str) -> None:
        super().__init__(command)
        self.command = command
        self.flaw = flaw


class Replay(BaseBackend):  # type: ignore[misc]
    """Looks every command up in the answers, and remembers which ones were read, in order."""

    NAME = "replay"

    def __init__(self, hostname: str, answers: Mapping[str, Answer]) -> None:
        super().__init__(hostname)
        self._encoding = "utf-8"
        self.answers = answers
        self.read: dict[str, None] = {}

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        """The recorded answer; raises NotAsked or NotWhole when there is none to rely on."""
        asked = self.quote(command, *args)
        self.read[asked] = None
        answer = self.answers.get(asked)
        if answer is None:
            raise NotAsked(asked)
        if answer.flaw:
            raise NotWhole(asked, answer.flaw)
        return self.result(answer.rc, asked.encode(), answer.stdout, answer.stderr)

    def decode(self, data: bytes) -> str:
        """Bytes that are no UTF-8 are shown as they are, never lost and never fatal."""
        return data.decode("utf-8", "backslashreplace")


def fresh_host(name: str, answers: Mapping[str, Answer]) -> tuple[Host, Replay]:
    """A testinfra host of its own for one check, so that the order of checks never matters."""
    backend = Replay(name, answers)
    host = Host(backend)
    backend.set_host(host)
    return host, backend

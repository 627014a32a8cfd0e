"""The road to a machine: straight over TCP, or through a jump host by way of OpenSSH."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kitsurvie.enroll import known_hosts
from kitsurvie.enroll.address import Endpoint, Jump
from kitsurvie.errors import EnrolError, HostError, KitsurvieError
from kitsurvie.inventory import road as roads

PASSWORD_VARIABLE = "KITSURVIE_ENROLL_PASSWORD"  # noqa: S105
_STDERR_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Road:
    """How to reach one machine.

    `key_file` opens the jump host (None: the agent does); `known_hosts` holds the jump host's
    pinned key; `timeout_s` bounds the connection and the first word of the server.
    """

    to: Endpoint
    known_hosts: Path
    timeout_s: float
    jump: Jump | None = None
    key_file: Path | None = None

    @property
    def label(self) -> str:
        """Where we go, for people."""
        return f"{self.to} through {self.jump.at}" if self.jump else str(self.to)


@contextmanager
def travel(road: Road) -> Iterator[socket.socket]:
    """A socket whose other end is the machine's SSH server, which has said its first word.

    Raises HostError when the machine or the jump host does not answer, EnrolError when the jump
    host's key or account is refused.
    """
    if road.jump is None:
        with _straight(road) as link:
            _await_banner(link, road)
            yield link
    else:
        with _tunnel(road, road.jump) as (link, said):
            _await_banner(link, road, said)
            yield link


def _straight(road: Road) -> socket.socket:
    try:
        return socket.create_connection((road.to.address, road.to.port), road.timeout_s)
    except socket.gaierror as error:
        raise HostError(
            f"No machine is known under the name {road.to.address}.",
            where=road.label,
            remedy="Check the spelling, or give its IP address.",
        ) from error
    except ConnectionRefusedError as error:
        raise HostError(
            f"The machine is there but refuses connections on port {road.to.port}.",
            where=road.label,
            remedy="Install or start its SSH server (openssh-server), or give its --port.",
        ) from error
    except OSError as error:
        raise HostError(
            f"The machine does not answer ({error.strerror or 'no answer in time'}).",
            where=road.label,
            remedy="Is it on, and is that its address today? Behind a jump host, give --jump.",
        ) from error


def jump_command(road: Road, jump: Jump) -> list[str]:
    """The ssh that carries the connection: our pinned keys only, no question, no local config."""
    return roads.through(
        jump.named, road.known_hosts, road.to.address, road.to.port,
        key_file=road.key_file, connect_s=road.timeout_s,
        # the reason why the jump host cannot go further is told at this level only
        log_level="INFO",
    )  # fmt: skip


@contextmanager
def _tunnel(road: Road, jump: Jump) -> Iterator[tuple[socket.socket, _LastWords]]:
    if not known_hosts.keys_of(road.known_hosts, jump.pinned_as):
        raise EnrolError(
            f"The key of the jump host {jump.at} is not pinned yet.",
            where=str(road.known_hosts),
            remedy=f"First: kitsurvie enroll {jump.at.address} --port {jump.at.port} --as-jump",
        )
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(
            jump_command(road, jump),
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.PIPE,
            env=child_environment(),
        )
    except FileNotFoundError as error:
        ours.close()
        raise EnrolError(
            "The ssh command is not on this computer.",
            remedy="Install OpenSSH's client (openssh-client).",
        ) from error
    finally:
        theirs.close()
    said = _LastWords(process)
    try:
        ours.settimeout(road.timeout_s)
        yield ours, said
    finally:
        with contextlib.suppress(OSError):
            ours.close()
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        said.close()


def child_environment() -> dict[str, str]:
    """Our environment without the password, and in a language whose messages we can read."""
    kept = {name: value for name, value in os.environ.items() if name != PASSWORD_VARIABLE}
    return {**kept, "LC_ALL": "C"}


class _LastWords:
    """What the tunnel's ssh says on stderr, its end kept, so that a refusal can be explained."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._said = b""
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    def _drain(self) -> None:
        stream = self._process.stderr
        while stream and (piece := stream.read1(_STDERR_KEPT)):  # type: ignore[attr-defined]
            self._said = (self._said + piece)[-_STDERR_KEPT:]

    def close(self) -> None:
        self._reader.join(1)
        if self._process.stderr:
            self._process.stderr.close()

    def text(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        self._reader.join(1)
        return self._said.decode(errors="replace").strip()


def _await_banner(link: socket.socket, road: Road, said: _LastWords | None = None) -> None:
    """Look at the server's first bytes without taking them: who says nothing is named as such."""
    ready, _, _ = select.select([link], [], [], road.timeout_s)
    if not ready:
        raise HostError(
            f"The machine accepts the connection and says nothing for {road.timeout_s:g} s.",
            where=road.label,
            remedy="Its SSH server is stuck, or a device in between holds the line: restart it.",
        )
    try:
        first = link.recv(4, socket.MSG_PEEK)
    except OSError:
        first = b""
    if first:
        return
    if said is not None:
        raise _tunnel_refusal(said.text(), road)
    raise HostError(
        "The machine closes the connection before a word.",
        where=road.label,
        remedy="Its SSH server turns us away: look at its log, MaxStartups and fail2ban first.",
    )


def _tunnel_refusal(text: str, road: Road) -> KitsurvieError:
    """What the tunnel's ssh complained of, as one of our sentences."""
    jump = road.jump
    assert jump is not None
    lines = [line for line in text.splitlines() if line != "stdio forwarding failed"]
    last = lines[-1] if lines else "ssh ended without a word"
    if "IDENTIFICATION HAS CHANGED" in text or "Host key verification failed" in text:
        return EnrolError(
            f"The key of the jump host {jump.at} is not the one pinned.",
            where=str(road.known_hosts),
            remedy="If it was reinstalled: kitsurvie enroll "
            f"{jump.at.address} --port {jump.at.port} --as-jump --replace-key",
        )
    if "Permission denied" in text:
        return EnrolError(
            f"The jump host {jump.at} does not let {jump.user} in.",
            where=last,
            remedy="Its account needs your public key; without a terminal it takes no password.",
        )
    if "open failed" in text:
        return HostError(
            f"The jump host {jump.at} cannot reach {road.to}.",
            where=last,
            remedy="Is the machine on, and is its address right as seen from the jump host?",
        )
    return HostError(
        f"The jump host {jump.at} does not answer.",
        where=last,
        remedy="Check its address and port, and that it is up.",
    )

"""Run one command over a contact, with a deadline and a cap on what is listened to."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import paramiko

from kitsurvie.enroll.contact import Contact
from kitsurvie.errors import HostError

MAX_BYTES = 1 << 20
_PAUSE_S = 0.02
# sshd tells the exit status before the last bytes; a daemon left behind may never close its end
_LAST_BYTES_S = 2.0


@dataclass(slots=True)
class Heard:
    """What a command has said so far, and its exit status once it has ended (else None).

    `ended_at` is the monotonic clock's second at which the exit status came, 0 before.
    """

    stdout: bytes = b""
    stderr: bytes = b""
    rc: int | None = None
    ended_at: float = 0.0


# looks at what was heard and returns what to send now; None once nothing more will be sent
Reply = Callable[[Heard], bytes]


def converse(
    contact: Contact, arguments: Sequence[str], reply: Reply, *, deadline_s: float
) -> Heard:
    """Run `arguments` on the machine and answer it as `reply` says, until it ends.

    The argument list is quoted here, once: SSH carries a single string. Raises HostError when
    the line drops, the deadline (seconds) passes or more than MAX_BYTES come.
    """
    heard = Heard()
    end = time.monotonic() + deadline_s
    try:
        channel = contact.transport.open_session(timeout=contact.road.timeout_s)
        channel.settimeout(contact.road.timeout_s)
        channel.exec_command(shlex.join(arguments))
        try:
            while _listen(channel, heard):
                if to_send := reply(heard):
                    channel.sendall(to_send)
                if time.monotonic() > end:
                    raise _lost(contact, f"did not finish in {deadline_s:g} s")
                if len(heard.stdout) + len(heard.stderr) > MAX_BYTES:
                    raise _lost(contact, "says far more than it was asked")
            heard.rc = channel.recv_exit_status()
        finally:
            channel.close()
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise _lost(contact, "dropped the connection in the middle") from error
    return heard


def _listen(channel: paramiko.Channel, heard: Heard) -> bool:
    """Take what has come; False once the command has ended and everything was read."""
    if channel.exit_status_ready() and not heard.ended_at:
        heard.ended_at = time.monotonic()
    over = channel.closed or (
        heard.ended_at > 0
        and (channel.eof_received or time.monotonic() - heard.ended_at > _LAST_BYTES_S)
    )
    came = False
    while channel.recv_ready() and len(heard.stdout) <= MAX_BYTES:
        heard.stdout += channel.recv(65536)
        came = True
    while channel.recv_stderr_ready() and len(heard.stderr) <= MAX_BYTES:
        heard.stderr += channel.recv_stderr(65536)
        came = True
    if not came and over:
        return False
    if not came:
        time.sleep(_PAUSE_S)
    return True


def _lost(contact: Contact, what: str) -> HostError:
    return HostError(
        f"The machine {what}.",
        where=contact.road.label,
        remedy="Look at its console and log, then run the same command again: it goes on from"
        " where it is.",
    )

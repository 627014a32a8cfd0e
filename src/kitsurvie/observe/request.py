"""What is sent to a host: the fixed command line, and the runner with its list of commands."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib import resources

# The same for every host and every night, so that a sudoers rule can name it and sudo's log stays
# short. What to run comes on standard input, which `sudo -n` never reads.
COMMAND = (
    "sudo -n python3 -I -S -B -c 'import sys;b=sys.stdin.buffer;"
    'exec(compile(b.read(int(b.readline())),"kitsurvie-runner","exec"))\''
)

# What the key of the measure observer runs, whatever it is asked to run; it has its own runner.
OBSERVER = "kitsurvie-observer"
OBSERVER_COMMAND = "sudo -n /usr/lib/kitsurvie/observer/observe"

_WIDTH = 2
_TOTAL = 16 << 20


@cache
def runner() -> bytes:
    """The source of the program that runs on the host."""
    return (resources.files("kitsurvie.observe") / "runner.py").read_bytes()


def nonce(commands: Sequence[str]) -> str:
    """What ties an answer to these commands in this order: 16 hexadecimal digits."""
    return sha256("\0".join(commands).encode()).hexdigest()[:16]


def build(
    commands: Sequence[str],
    *,
    command_s: float,
    deadline_s: float,
    max_answer_bytes: int,
    max_total_bytes: int = _TOTAL,
    width: int = _WIDTH,
    with_runner: bool = True,
) -> bytes:
    """The standard input for COMMAND, or without a runner the one for OBSERVER_COMMAND.

    `command_s` bounds one command, `deadline_s` all of them; `max_answer_bytes` bounds stdout and
    stderr of one command, each; `max_total_bytes` all of them before compression; `width` is how
    many run at once. The same arguments give the same bytes. Raises ValueError for no command,
    or one with a NUL in it, which no shell can be given.
    """
    if not commands or any("\0" in command for command in commands):
        raise ValueError("a request needs commands, and a command has no NUL")
    body = "\0".join(commands).encode()
    numbers = (
        width,
        round(command_s * 1000),
        round(deadline_s * 1000),
        max_answer_bytes,
        max_total_bytes,
        len(body),
    )
    head = " ".join(("kitsurvie-request 1", nonce(commands), *map(str, numbers)))
    brought = runner() if with_runner else b""
    return b"%d\n%b%b\n%b" % (len(brought), brought, head.encode(), body)

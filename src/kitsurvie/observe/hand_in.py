"""What a machine that observes itself hands in, read with suspicion: evidence or one clear reason.

    kitsurvie-hand-in 1 <host> <moment> <size> <size> <digest>

and an end of line, then the commands and the answers, of these sizes in bytes. `moment` is when the
machine began to look, in seconds since 1970 by its own clock; the commands are those of its list,
separated by NUL, as zlib; the answers are what the runner wrote. The digest is the beginning of the
SHA-256 of `<host> <moment> <size> <size>`, an end of line, the commands and the answers: it shows
what was damaged, and one look has one digest.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from hashlib import sha256

from kitsurvie.errors import HostError
from kitsurvie.model import Evidence
from kitsurvie.observe import answers

MAX_BYTES = 1 << 20
MAX_COMMANDS = 4096
MAX_COMMANDS_BYTES = 1 << 20
# what the program on the machine lets the runner give, of one stream and of all together
MAX_ANSWER_BYTES = 256 << 10
MAX_ANSWERS_BYTES = 4 << 20

_HEAD = re.compile(
    rb"kitsurvie-hand-in 1 (([A-Za-z0-9][A-Za-z0-9._-]{0,252}) ([0-9]{1,11}) ([0-9]{1,7}) "
    rb"([0-9]{1,7})) ([0-9a-f]{32})\n"
)
_ANSWERS = re.compile(rb"\nkitsurvie-answers [0-9]{1,4} [0-9a-f]{16} ([0-9]{1,10})\n")


class RefusedHandIn(HostError):
    """The bytes are not a hand-in, or not one to believe; `what` says why."""

    def __init__(self, what: str) -> None:
        super().__init__(what, remedy="Nothing of it was taken; the machine's next one may do.")


@dataclass(frozen=True, slots=True)
class HandIn:
    """One look of a machine at itself. `moment` is by its own clock, `evidence` whole."""

    host: str
    moment: int
    digest: str
    evidence: Evidence


def read(data: bytes) -> HandIn:
    """The hand-in in these bytes. Raises RefusedHandIn for anything but exactly one."""
    if len(data) > MAX_BYTES:
        raise RefusedHandIn(f"it is larger than {MAX_BYTES >> 10} KB")
    head = _HEAD.match(data)
    if head is None:
        raise RefusedHandIn("it does not begin as a hand-in does")
    middle = head.end() + int(head[4])
    end = middle + int(head[5])
    if end != len(data):
        word = "stops at" if end > len(data) else "goes on after"
        raise RefusedHandIn(f"it {word} {min(end, len(data))} of {max(end, len(data))} bytes")
    digest = sha256(head[1] + b"\n" + data[head.end() :]).hexdigest()[:32]
    if digest.encode() != head[6]:
        raise RefusedHandIn("it was damaged, or put together from several")
    host = head[2].decode("ascii")
    framed = _ANSWERS.match(data, middle)
    if framed is None or framed.end() + int(framed[1]) != end:
        raise RefusedHandIn("there is something else than the runner's answers in it")
    commands = _commands(data[head.end() : middle])
    try:
        evidence = answers.decode(host, commands, data[middle:], most=MAX_ANSWERS_BYTES)
    except answers.RubbishAnswer as rubbish:
        raise RefusedHandIn(rubbish.what.partition(": ")[2].rstrip(".")) from rubbish
    streams = (s for a in evidence.answers.values() for s in (a.stdout, a.stderr))
    if max(map(len, streams)) > MAX_ANSWER_BYTES:
        raise RefusedHandIn(f"one of its answers is larger than {MAX_ANSWER_BYTES >> 10} KB")
    return HandIn(host, int(head[3]), digest, evidence)


def _commands(packed: bytes) -> tuple[str, ...]:
    unpack = zlib.decompressobj()
    try:
        plain = unpack.decompress(packed, MAX_COMMANDS_BYTES)
    except zlib.error as error:
        raise RefusedHandIn("its list of commands is damaged") from error
    if unpack.unconsumed_tail or unpack.unused_data or not unpack.eof:
        raise RefusedHandIn("its list of commands is too long, or not whole")
    try:
        commands = tuple(plain.decode("utf-8").split("\0"))
    except UnicodeDecodeError as error:
        raise RefusedHandIn("its list of commands is no text") from error
    if len(commands) > MAX_COMMANDS:
        raise RefusedHandIn(f"its list has more than {MAX_COMMANDS} commands")
    if len(set(commands)) != len(commands):
        raise RefusedHandIn("its list names a command twice")
    return commands

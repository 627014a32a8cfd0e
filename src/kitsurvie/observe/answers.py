"""What came back from a host, read with suspicion: any bytes give evidence or one clear error."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence

from kitsurvie.errors import HostError
from kitsurvie.model import Answer, Evidence
from kitsurvie.observe.request import nonce

# More than any request asks for (request.build's max_total_bytes), with room for the headers
MAX_BYTES = 64 << 20

_HEAD = re.compile(rb"\nkitsurvie-answers ([0-9]{1,4}) ([0-9a-f]{16}) ([0-9]{1,10})\n")
_ANSWER = re.compile(
    rb"(-?[0-9]{1,4}) (-|timeout|truncated|deadline|unlisted) ([0-9]{1,10}) ([0-9]{1,10})\n"
)


class RubbishAnswer(HostError):
    """The bytes are not the answer of the runner to these commands."""


def decode(
    host: str,
    commands: Sequence[str],
    stdout: bytes,
    stderr: bytes = b"",
    *,
    most: int = MAX_BYTES,
) -> Evidence:
    """The evidence in the bytes that COMMAND wrote on `host` for these commands.

    What a login shell prints before or after does no harm. `stderr` is only quoted in the error;
    `most` is how many bytes it may unpack to.
    Raises RubbishAnswer when there is no whole answer to exactly these commands.
    """
    wanted = nonce(commands).encode()
    heads = list(_HEAD.finditer(stdout))
    if not heads:
        raise _rubbish(host, "it answered something else than an observation", stdout, stderr)
    for head in heads:
        if head[1] != b"1" or head[2] != wanted:
            continue
        size = int(head[3])
        body = stdout[head.end() : head.end() + size]
        if len(body) < size:
            raise _rubbish(host, f"its answer stops at {len(body)} of {size} bytes", b"", stderr)
        found = tuple(_answers(host, _inflate(host, body, most)))
        if len(found) != len(commands):
            raise _rubbish(host, f"it gave {len(found)} answers to {len(commands)} commands")
        return Evidence(host, dict(zip(commands, found, strict=True)))
    raise _rubbish(host, "it answered another request than the one sent", b"", stderr)


def _inflate(host: str, body: bytes, most: int) -> bytes:
    unpack = zlib.decompressobj()
    try:
        plain = unpack.decompress(body, most)
    except zlib.error as error:
        raise _rubbish(host, "its answer was damaged on the way") from error
    if unpack.unconsumed_tail or not unpack.eof:
        raise _rubbish(host, f"its answer is over {most >> 20} MB or incomplete")
    return plain


def _answers(host: str, plain: bytes) -> Iterator[Answer]:
    place = 0
    while place < len(plain):
        head = _ANSWER.match(plain, place)
        if head is None:
            raise _rubbish(host, f"its answer makes no sense at byte {place}")
        middle = head.end() + int(head[3])
        place = middle + int(head[4])
        if place > len(plain):
            raise _rubbish(host, "an answer is longer than the whole")
        flaw = "" if head[2] == b"-" else head[2].decode()
        yield Answer(int(head[1]), plain[head.end() : middle], plain[middle:place], flaw)


def _rubbish(host: str, why: str, stdout: bytes = b"", stderr: bytes = b"") -> RubbishAnswer:
    said = (stderr or stdout).strip().splitlines()[-1:]
    quote = f": {said[0][:120].decode('utf-8', 'replace')!a}" if said else ""
    return RubbishAnswer(
        f"{host} cannot be observed: {why}{quote}.",
        where=host,
        remedy="Log in and look at its shell's start files, its disk and its memory; then again.",
    )

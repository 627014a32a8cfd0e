"""Verdicts and evidence to bytes and back; the same content always gives the same digest."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping, Sequence

from kitsurvie.model import Answer, Evidence, Verdict

# status, found, expected, commands, message
Content = tuple[str, str, str, tuple[str, ...], str]

DIGEST_BYTES = 16
_ANSWER = struct.Struct(">iBI")


def digest(data: bytes) -> bytes:
    """The address of a content: the first 16 bytes of its SHA-256."""
    return hashlib.sha256(data).digest()[:DIGEST_BYTES]


def squeeze(data: bytes) -> bytes:
    """Compressed when that is shorter; the first byte says which."""
    packed = zlib.compress(data, 6)
    return b"z" + packed if len(packed) < len(data) else b"=" + data


def restore(stored: bytes) -> bytes:
    """What `squeeze` was given."""
    return zlib.decompress(stored[1:]) if stored[:1] == b"z" else stored[1:]


def content(verdict: Verdict) -> Content:
    """What a verdict says, without whom it is said of and by which check."""
    return (
        verdict.status.value, verdict.found, verdict.expected, verdict.commands, verdict.message,
    )  # fmt: skip


def pack_content(one: Content) -> bytes:
    """What a verdict says, as a JSON array."""
    status, found, expected, commands, message = one
    row = [status, found, expected, list(commands), message]
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def unpack_content(data: bytes) -> Content:
    """The content `pack_content` was given."""
    status, found, expected, commands, message = json.loads(data.decode("utf-8", "surrogatepass"))
    return status, found, expected, tuple(commands), message


def pack_coverage(checks: Sequence[int]) -> bytes:
    """The numbers of checks, in order."""
    return ",".join(map(str, checks)).encode("ascii")


def unpack_coverage(data: bytes) -> tuple[int, ...]:
    """The numbers `pack_coverage` was given."""
    return tuple(int(number) for number in data.split(b",")) if data else ()


def pack_commands(commands: Sequence[str]) -> bytes:
    """The commands of one observation, in order."""
    return json.dumps(list(commands), ensure_ascii=False).encode("utf-8", "surrogatepass")


def unpack_commands(data: bytes) -> tuple[str, ...]:
    """The commands `pack_commands` was given."""
    return tuple(json.loads(data.decode("utf-8", "surrogatepass")))


def pack_answer(answer: Answer) -> bytes:
    """Exit status, flaw, standard output and error, framed by length."""
    flaw = answer.flaw.encode()
    head = _ANSWER.pack(answer.rc, len(flaw), len(answer.stdout))
    return head + flaw + answer.stdout + answer.stderr


def unpack_answer(data: bytes) -> Answer:
    """The answer `pack_answer` was given."""
    rc, flaw_length, out_length = _ANSWER.unpack_from(data)
    flaw_end = _ANSWER.size + flaw_length
    out_end = flaw_end + out_length
    return Answer(
        rc, data[flaw_end:out_end], data[out_end:], data[_ANSWER.size : flaw_end].decode()
    )


def pack_evidence(evidence: Evidence) -> tuple[bytes, Mapping[bytes, bytes]]:
    """The manifest (digest of the commands, then of each answer) and the contents it names."""
    commands = pack_commands(list(evidence.answers))
    contents = {digest(commands): commands}
    manifest = [digest(commands)]
    for answer in evidence.answers.values():
        data = pack_answer(answer)
        address = digest(data)
        contents[address] = data
        manifest.append(address)
    joined = b"".join(manifest)
    contents[digest(joined)] = joined
    return joined, contents


def addresses(manifest: bytes) -> list[bytes]:
    """What a manifest names: the list of commands, then each answer."""
    return [
        manifest[start : start + DIGEST_BYTES] for start in range(0, len(manifest), DIGEST_BYTES)
    ]

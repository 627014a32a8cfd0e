"""Verdicts and evidence to bytes and back; the same content always gives the same digest."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence

from kitsurvie.model import Answer, Evidence, Status, Verdict

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


def pack_verdicts(verdicts: Iterable[Verdict]) -> bytes:
    """A JSON array, one row a verdict, in order."""
    rows = [
        [v.measure, v.check, v.status.value, v.found, v.expected, list(v.commands), v.message]
        for v in verdicts
    ]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )


def unpack_verdicts(data: bytes) -> tuple[Verdict, ...]:
    """The verdicts `pack_verdicts` was given."""
    return tuple(
        Verdict(measure, check, Status(status), found, expected, tuple(commands), message)
        for measure, check, status, found, expected, commands, message in json.loads(
            data.decode("utf-8", "surrogatepass")
        )
    )


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


def unpack_evidence(host: str, manifest: bytes, read: Callable[[bytes], bytes]) -> Evidence:
    """The evidence behind a manifest; `read` gives the content of an address."""
    addresses = [
        manifest[start : start + DIGEST_BYTES] for start in range(0, len(manifest), DIGEST_BYTES)
    ]
    commands = unpack_commands(read(addresses[0]))
    answers = {
        command: unpack_answer(read(address))
        for command, address in zip(commands, addresses[1:], strict=True)
    }
    return Evidence(host, answers)

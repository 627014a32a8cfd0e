"""A public key as OpenSSH writes it: its type, its body, and the fingerprint people compare."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from kitsurvie.errors import EnrolError

HOST_KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
)
LOGIN_KEY_TYPES = (
    *HOST_KEY_TYPES,
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
# below this an RSA key is within reach of a well-equipped attacker (ANSSI, RGS annex B1)
RSA_MINIMUM_BITS = 2048

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


@dataclass(frozen=True, slots=True, order=True)
class PublicKey:
    """One public key: `type` as in `ssh-ed25519`, `body` its base64."""

    type: str
    body: str

    @property
    def fingerprint(self) -> str:
        """`SHA256:` and 43 characters, as `ssh-keygen -l` prints it."""
        digest = hashlib.sha256(base64.b64decode(self.body)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    def __str__(self) -> str:
        return f"{self.type} {self.body}"


def parse(line: str, *, types: tuple[str, ...] = LOGIN_KEY_TYPES) -> PublicKey:
    """The key of a line `type base64 [comment]`. Raises ValueError with a sentence when it is none.

    Options before the type (`command="..."`) are not taken: they change what a key may do.
    """
    words = line.split()
    if len(words) < 2 or "\n" in line.strip():
        raise ValueError("a public key is one line: type, base64, comment")
    kind, body = words[0], words[1]
    if kind not in types:
        raise ValueError(f"{kind[:40]!r} is not a key type taken here ({', '.join(types)})")
    try:
        blob = base64.b64decode(body, validate=True)
        fields = _fields(blob)
    except (binascii.Error, ValueError) as error:
        raise ValueError("its base64 is damaged or cut short") from error
    if not fields or fields[0] != kind.encode():
        raise ValueError(f"it says {kind} but its body is of another type")
    if kind == "ssh-ed25519" and (len(fields) != 2 or len(fields[1]) != 32):
        raise ValueError("an Ed25519 key has 32 bytes, this one does not")
    if kind == "ssh-rsa":
        bits = int.from_bytes(fields[2], "big").bit_length() if len(fields) == 3 else 0
        if bits < RSA_MINIMUM_BITS:
            raise ValueError(f"an RSA key of {bits} bits is too short, {RSA_MINIMUM_BITS} at least")
    return PublicKey(kind, body)


def _fields(blob: bytes) -> list[bytes]:
    """The length-prefixed fields of a key's body (RFC 4253 section 5)."""
    fields, at = [], 0
    while at < len(blob):
        length = int.from_bytes(blob[at : at + 4], "big")
        field = blob[at + 4 : at + 4 + length]
        if at + 4 > len(blob) or len(field) != length:
            raise ValueError("cut short")
        fields.append(field)
        at += 4 + length
    return fields


def fingerprint(text: str) -> str:
    """The fingerprint a person gave, checked for its form. Raises EnrolError."""
    cleaned = text.strip()
    if not _FINGERPRINT.fullmatch(cleaned):
        raise EnrolError(
            f"{text!r} is not a SHA-256 fingerprint.",
            remedy="Give it as ssh-keygen prints it, SHA256: and 43 characters; on the machine's"
            " console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
        )
    return cleaned

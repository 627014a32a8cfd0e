"""The pinned keys of one host as a known_hosts file of its own, under the address in use.

One file per host: two town halls both have a 192.168.1.10, and their keys must never mix.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_NAMES = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("ssh-rsa", "rsa-sha2-256", "rsa-sha2-512"),
}
_ADDRESS = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._:%-]*[A-Za-z0-9])?|::1")


def is_address(text: str) -> bool:
    """Whether this is a host name or an IP address and nothing that a file or shell would read."""
    return _ADDRESS.fullmatch(text) is not None


def usable(host_keys: tuple[str, ...]) -> list[str]:
    """The keys of types that can be checked, one `type base64` each, Ed25519 first."""
    order = list(_NAMES)
    pairs = [key.split()[:2] for key in host_keys]
    good = [pair for pair in pairs if len(pair) == 2 and pair[0] in _NAMES]
    return [" ".join(pair) for pair in sorted(good, key=lambda pair: order.index(pair[0]))]


def other_algorithms(keys: list[str]) -> list[str]:
    """The key algorithms that must not be negotiated: those of which no key is pinned.

    Without this a host with an RSA and an Ed25519 key, pinned by its RSA key alone, would show
    the Ed25519 one and look like an impostor.
    """
    pinned = {key.split()[0] for key in keys}
    return [name for kind, names in _NAMES.items() if kind not in pinned for name in names]


def write(path: Path, address: str, port: int, keys: list[str]) -> None:
    """Write the file, readable by its owner alone."""
    place = address if port == 22 else f"[{address}]:{port}"
    text = "".join(f"{place} {key}\n" for key in keys)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)

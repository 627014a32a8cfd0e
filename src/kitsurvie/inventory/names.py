"""What a host, a group, an address, an account, a SIREN and an INSEE code look like."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
GROUP = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,252}")
USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
INSEE = re.compile(r"(?:[0-9]{2}|2[AB])[0-9]{3}")
SIREN = re.compile(r"[0-9]{9}")
_DNS_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?")


def good_host(name: object) -> bool:
    """Whether a name is safe as an inventory name: letters, digits, dot, dash, underscore.

    No `..`: the name becomes part of file names.
    """
    return isinstance(name, str) and bool(HOST.fullmatch(name)) and ".." not in name


def good_address(address: object) -> bool:
    """Whether this is an IPv4 or IPv6 address or a DNS name."""
    if not isinstance(address, str) or len(address) > 253:
        return False
    try:
        ipaddress.ip_address(address)
    except ValueError:
        labels = address.rstrip(".").split(".")
        # four numbers that are no IPv4 address are a typing error, not a name
        return not labels[-1].isdigit() and all(_DNS_LABEL.fullmatch(label) for label in labels)
    return "%" not in address


def good_user(user: object) -> bool:
    """Whether this can be the name of a Unix account; never an option of ssh."""
    return isinstance(user, str) and bool(USER.fullmatch(user))


def good_insee(code: object) -> bool:
    """Whether this looks like the INSEE code of a commune: 5 characters, as text."""
    return isinstance(code, str) and bool(INSEE.fullmatch(code))


def good_siren(siren: object) -> bool:
    """Whether this is 9 digits, as text, whose last is the Luhn key of the others."""
    if not isinstance(siren, str) or not SIREN.fullmatch(siren):
        return False
    total = 0
    for place, digit in enumerate(reversed(siren)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


@dataclass(frozen=True, slots=True)
class Jump:
    """A jump host: who logs in there, at which address and port."""

    user: str
    address: str
    port: int

    @property
    def key_name(self) -> str:
        """The name its key is pinned under in known_hosts."""
        return f"jump:{self.address}:{self.port}"


def jump(text: object) -> Jump | None:
    """Read `user@address[:port]` (an IPv6 address in brackets), None when it is not that."""
    if not isinstance(text, str):
        return None
    user, at, rest = text.partition("@")
    found = re.fullmatch(r"(?:\[([^\]]+)\]|([^\[\]:]+))(?::([0-9]{1,5}))?", rest)
    if not at or found is None or not good_user(user):
        return None
    address, port = found[1] or found[2], int(found[3] or 22)
    if not good_address(address) or not 1 <= port <= 65535:
        return None
    return Jump(user, address, port)

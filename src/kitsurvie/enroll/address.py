"""What may stand for a machine's address or name: nothing a shell or ssh could take otherwise.

The inventory's own rules decide (`inventory.names`), so that nothing is enrolled which it would
refuse afterwards; here each refusal gets its sentence.
"""

from __future__ import annotations

from dataclasses import dataclass

from kitsurvie.errors import EnrolError
from kitsurvie.inventory import names


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an SSH server listens."""

    address: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Jump:
    """A jump host, and the account that goes through it."""

    user: str
    at: Endpoint

    @property
    def named(self) -> names.Jump:
        """The same, in the inventory's words."""
        return names.Jump(self.user, self.at.address, self.at.port)

    @property
    def pinned_as(self) -> str:
        """The name its key is pinned under."""
        return self.named.key_name


def jump_name(at: Endpoint) -> str:
    """`jump:<address>:<port>`, the known_hosts name of a jump host."""
    return names.Jump("", at.address, at.port).key_name


def endpoint(address: str, port: int) -> Endpoint:
    """The address and port when they can be ones. Raises EnrolError."""
    if not names.good_address(address):
        raise EnrolError(
            f"{address!r} is not an address.",
            remedy="Give an IP address or a DNS name: letters, digits, dots, colons, hyphens.",
        )
    if not 0 < port < 65536:
        raise EnrolError(f"{port} is not a port.", remedy="A port goes from 1 to 65535.")
    return Endpoint(address, port)


def host_name(name: str) -> str:
    """The inventory name when it can be one. Raises EnrolError."""
    if not names.good_host(name):
        raise EnrolError(
            f"{name!r} cannot be the name of a machine.",
            remedy="Take letters, digits, dots, hyphens and underscores: mairie-pc1",
        )
    return name


def user_name(name: str) -> str:
    """The account of a first login when it can be one. Raises EnrolError."""
    if not names.good_user(name):
        raise EnrolError(
            f"{name!r} cannot be the name of an account.",
            remedy="Give the account that opens the machine today, for instance --login root",
        )
    return name


def jump(text: str) -> Jump:
    """The jump host of `user@address[:port]`; an IPv6 address stands in brackets."""
    read = names.jump(text)
    if read is None:
        raise EnrolError(
            f"{text!r} is not a jump host.",
            remedy="Write user@address or user@address:port (an IPv6 address in brackets).",
        )
    return Jump(read.user, Endpoint(read.address, read.port))

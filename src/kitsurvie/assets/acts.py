"""What people decide of equipment, as the journal keeps it: one shape for each kind of decision.

Days are ISO. `device` and `record` name the machine: its record says which device it is by now,
its device stands where that record was undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Merge:
    """Two records are one machine, or two."""

    a: str
    b: str
    ruling: str
    reason: str


@dataclass(frozen=True, slots=True)
class Exempt:
    """Somebody (pseudonym) may have two machines at a member (SIREN) until a day."""

    user: str
    member: str
    reason: str
    until: str


@dataclass(frozen=True, slots=True)
class Return:
    """A machine is back in stock. `owner` is the SIREN of whose it is, empty: its register says."""

    device: str
    record: str
    day: str
    owner: str
    reason: str


@dataclass(frozen=True, slots=True)
class Loan:
    """A machine is lent to a service or a person (pseudonym) of a member until a day, or on.

    `owner` is whose it was that day: its register may follow the machine to the borrower.
    """

    device: str
    record: str
    day: str
    owner: str
    member: str
    service: str
    user: str
    until: str
    reason: str


@dataclass(frozen=True, slots=True)
class Discarded:
    """A machine is of no use any more, and where it went; the rest as in `record.Discard`.

    What it is goes with it: the import that said so may be undone.
    """

    device: str
    record: str
    day: str
    member: str
    kind: str
    name: str
    maker: str
    model: str
    serial: str
    bought: str
    discarded: str
    outcome: str
    left: str
    recipient: str
    proof: str
    excluded: str
    small: bool | None


@dataclass(frozen=True, slots=True)
class Forget:
    """Somebody of a member was forgotten; who, is not kept."""

    member: str


SHAPES: Mapping[str, type] = {
    "merge": Merge,
    "exempt": Exempt,
    "return": Return,
    "loan": Loan,
    "discard": Discarded,
    "forget": Forget,
}
Decided = Merge | Exempt | Return | Loan | Discarded | Forget


def kind_of(one: Decided) -> str:
    """Under which kind the journal keeps it."""
    return next(kind for kind, shape in SHAPES.items() if type(one) is shape)


def data_of(one: Decided) -> dict[str, Any]:
    """What the journal keeps of it."""
    return asdict(one)
